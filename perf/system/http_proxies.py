"""The proxies that the HTTP benchmarks put beside the edge: each on host origin-b of the lab, which is as
many hops from client and origin as the edge, with one worker on the server's CPU, proxying to origin-a
over kept connections, and answering /answer by itself. nginx must be ended with end_nginx(): a master
that is killed leaves its worker behind. HAProxy ends with the lab."""
import shutil
import time

from lab_run import ORIGIN, WORKER_CPU

NGINX_PORT, HAPROXY_PORT = 8000, 8001
SECURE = 443  # added to these: the same under TLS, with the edge's certificate
ANSWER = "x" * 200  # about what /cdn-cgi/trace of the edge is long


def start_nginx(lab, connections):
    folder = lab.state / "proxy"
    folder.mkdir()
    mask = format(1 << WORKER_CPU, "b")
    (folder / "nginx.conf").write_text(f"""
daemon off;
user root;
worker_processes 1;
worker_cpu_affinity {mask};
worker_rlimit_nofile {connections + 4096};
pid {folder}/pid;
error_log {folder}/error.log warn;
events {{ worker_connections {connections + 2048}; }}
http {{
  access_log off;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxied;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  keepalive_requests 10000000;
  keepalive_timeout 400s;
  upstream origin {{ server {ORIGIN}:80; keepalive 64; keepalive_requests 10000000; }}
  server {{
    listen {NGINX_PORT} backlog=4096;
    listen {NGINX_PORT + SECURE} ssl backlog=4096;
    ssl_certificate {lab.made.folder}/www.pem;
    ssl_certificate_key {lab.made.folder}/www.key;
    ssl_session_tickets off;
    ssl_session_cache off;
    location = /answer {{ return 200 "{ANSWER}"; }}
    location / {{
      proxy_pass http://origin;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header Host $host;
      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
    }}
  }}
}}
""")
    lab.exec("origin-b", "sysctl", "-qw", "net.core.somaxconn=4096")
    process = lab.spawn("origin-b", "nginx", "-c", folder / "nginx.conf", "-e", folder / "error.log")
    for _ in range(100):
        if (folder / "pid").exists():
            return process
        time.sleep(0.05)
    raise RuntimeError("nginx did not start:\n" + (folder / "error.log").read_text())


def end_nginx(process):
    process.terminate()
    process.wait(20)


def start_haproxy(lab, connections):
    """None where haproxy is not installed."""
    program = shutil.which("haproxy", path="/usr/sbin:/usr/bin")
    if not program:
        return None
    configuration = lab.state / "haproxy.conf"
    both = lab.state / "haproxy.pem"
    both.write_bytes((lab.made.folder / "www.pem").read_bytes() + (lab.made.folder / "www.key").read_bytes())
    configuration.write_text(f"""
global
  nbthread 1
  maxconn {2 * connections + 1000}
defaults
  mode http
  maxconn {connections + 500}
  timeout connect 10s
  timeout client 400s
  timeout server 60s
  timeout http-keep-alive 400s
  option forwardfor
  http-reuse always
frontend client
  bind :{HAPROXY_PORT} backlog 4096
  bind :{HAPROXY_PORT + SECURE} ssl crt {both} backlog 4096
  http-request return status 200 content-type text/plain string "{ANSWER}" if {{ path /answer }}
  default_backend origin
backend origin
  server a {ORIGIN}:80
""")
    return lab.spawn("origin-b", "taskset", "-c", WORKER_CPU, program, "-db", "-f", configuration)
