// What an operator's scripts do with the npm package "cloudflare", unmodified: the folder that it was
// installed to is the first argument, the one with certificates the second; where and as whom comes from the SDK's own variables
// (CLOUDFLARE_BASE_URL, CLOUDFLARE_API_TOKEN). Prints one line a step; any other exit code than 0 is
// a failed step.
'use strict';
const assert = require('node:assert/strict');
const { readFileSync } = require('node:fs');
const { createRequire } = require('node:module');
const Cloudflare = createRequire(process.argv[2] + '/')('cloudflare');

const RECORDS = 230;

async function all(pages) {
  const found = [];
  for await (const one of pages) found.push(one);
  return found;
}

async function refused(status, code, call) {
  try {
    await call;
  } catch (error) {
    assert.ok(error instanceof Cloudflare.APIError, String(error));
    assert.equal(error.status, status);
    assert.equal(error.errors[0].code, code, JSON.stringify(error.errors));
    return;
  }
  assert.fail('was not refused');
}

async function zones(client) {
  const [account] = await all(client.accounts.list());
  const made = [];
  for (let i = 0; i < 7; i++) {
    made.push(await client.zones.create({ account: { id: account.id }, name: `sdk${i}.example`, type: 'full' }));
  }
  assert.match(made[0].id, /^[0-9a-f]{32}$/);
  const listed = await all(client.zones.list({ per_page: 5 }));
  assert.deepEqual(listed.map((zone) => zone.name).sort(), made.map((zone) => zone.name).sort());
  const [found] = await all(client.zones.list({ name: 'sdk3.example' }));
  assert.equal(found.id, made[3].id);
  const paused = await client.zones.edit({ zone_id: made[1].id, paused: true });
  assert.equal(paused.paused, true);
  await client.zones.delete({ zone_id: made[6].id });
  await refused(404, 7003, client.zones.get({ zone_id: made[6].id }));
  await refused(400, 1061, client.zones.create({ account: { id: account.id }, name: 'sdk0.example' }));
  console.log('zones');
  return made[0];
}

async function records(client, zone) {
  const zone_id = zone.id;
  const posts = Array.from({ length: RECORDS }, (_, i) => (
    { type: 'A', name: `h${i}.sdk0.example`, content: `198.51.100.${i}`, ttl: 300 }));
  const batch = await client.dns.records.batch({ zone_id, posts });
  assert.equal(batch.posts.length, RECORDS);
  const listed = await all(client.dns.records.list({ zone_id, per_page: 50, type: 'A' }));
  assert.equal(new Set(listed.map((record) => record.id)).size, RECORDS);
  const [one] = await all(client.dns.records.list({ zone_id, name: { exact: 'h7.sdk0.example' } }));
  assert.equal(one.content, '198.51.100.7');
  assert.equal((await all(client.dns.records.list({ zone_id, content: { startswith: '198.51.100.22' } }))).length, 11);  // .22 and .220 to .229
  console.log('records, page by page');

  const mail = await client.dns.records.create({ zone_id, type: 'MX', name: 'sdk0.example', content: 'mail.sdk0.example', priority: 5, ttl: 1 });
  assert.equal(mail.priority, 5);
  const service = await client.dns.records.create({
    zone_id, type: 'SRV', name: '_sip._tcp.sdk0.example', ttl: 3600,
    data: { priority: 1, weight: 2, port: 5060, target: 'sip.sdk0.example' },
  });
  assert.equal(service.data.port, 5060);
  const text = await client.dns.records.create({ zone_id, type: 'TXT', name: 'sdk0.example', content: '"v=spf1 -all"', ttl: 120, comment: 'mail', tags: [] });
  assert.equal(text.content, '"v=spf1 -all"');
  const edited = await client.dns.records.edit(one.id, { zone_id, type: 'A', name: one.name, content: one.content, ttl: 1, proxied: true });
  assert.deepEqual([edited.proxied, edited.ttl, edited.proxiable], [true, 1, true]);
  const replaced = await client.dns.records.update(one.id, { zone_id, type: 'AAAA', name: one.name, content: '2001:DB8::0:7', ttl: 60 });
  assert.deepEqual([replaced.type, replaced.content, replaced.proxied], ['AAAA', '2001:db8::7', false]);
  assert.deepEqual((await client.dns.records.get(one.id, { zone_id })).content, '2001:db8::7');
  console.log('records of many types');

  await refused(400, 81057, client.dns.records.create({ zone_id, type: 'A', name: 'h1.sdk0.example', content: '198.51.100.1', ttl: 300 }));
  await refused(400, 81053, client.dns.records.create({ zone_id, type: 'CNAME', name: 'h1.sdk0.example', content: 'x.example', ttl: 300 }));
  await refused(400, 1004, client.dns.records.create({ zone_id, type: 'TXT', name: 't.sdk0.example', content: 'x', ttl: 1, proxied: true }));
  await refused(404, 81044, client.dns.records.get('0'.repeat(32), { zone_id }));
  const before = await all(client.dns.records.list({ zone_id, per_page: 500 }));
  await refused(400, 81057, client.dns.records.batch({
    zone_id,
    deletes: [{ id: mail.id }],
    posts: [{ type: 'A', name: 'new.sdk0.example', content: '198.51.100.1', ttl: 300 },
            { type: 'A', name: 'h1.sdk0.example', content: '198.51.100.1', ttl: 300 }],
  }));
  assert.equal((await all(client.dns.records.list({ zone_id, per_page: 500 }))).length, before.length);
  console.log('refusals, and a batch that changes nothing');

  const batched = await client.dns.records.batch({
    zone_id,
    deletes: [{ id: mail.id }],
    patches: [{ id: text.id, ttl: 600 }],
    puts: [{ id: service.id, type: 'A', name: 'was-srv.sdk0.example', content: '198.51.100.250', ttl: 300 }],
    posts: [{ type: 'CNAME', name: 'alias.sdk0.example', content: 'h1.sdk0.example', ttl: 300 }],
  });
  assert.deepEqual([batched.deletes[0].id, batched.patches[0].ttl, batched.puts[0].type, batched.posts[0].type],
    [mail.id, 600, 'A', 'CNAME']);
  const exported = await client.dns.records.export({ zone_id });
  assert.match(exported, /h229\.sdk0\.example\.\s+300\s+IN\s+A\s+198\.51\.100\.229/);
  const gone = await client.dns.records.delete(one.id, { zone_id });
  assert.equal(gone.id, one.id);
  console.log('batch, export, delete');
}

const file = (name) => readFileSync(`${process.argv[3]}/${name}`, 'utf8');

async function certificates(client, zone) {
  const zone_id = zone.id;
  const pair = { certificate: file('leaf.pem') + file('ca.pem'), private_key: file('leaf.key') };
  const custom = await client.customCertificates.create({ zone_id, ...pair, bundle_method: 'force', type: 'sni_custom' });
  assert.deepEqual(custom.hosts, ['sdk0.example', '*.sdk0.example']);
  assert.deepEqual([custom.status, custom.bundle_method, custom.zone_id], ['active', 'force', zone_id]);
  assert.equal('private_key' in custom, false);
  assert.deepEqual((await all(client.customCertificates.list({ zone_id, per_page: 1 }))).map((one) => one.id), [custom.id]);
  assert.deepEqual(await all(client.customCertificates.list({ zone_id, status: 'expired' })), []);
  const edited = await client.customCertificates.edit(custom.id, { zone_id, bundle_method: 'optimal' });
  assert.deepEqual([edited.id, edited.bundle_method], [custom.id, 'optimal']);
  const [first] = await all(client.customCertificates.prioritize.update({ zone_id, certificates: [{ id: custom.id, priority: 7 }] }));
  assert.equal(first.priority, 7);
  assert.equal((await client.customCertificates.get(custom.id, { zone_id })).priority, 7);
  assert.deepEqual((await all(client.ssl.certificatePacks.list({ zone_id }))).map((pack) => pack.id), [custom.id]);
  await refused(400, 12024, client.customCertificates.create({ zone_id, ...pair }));
  await refused(400, 12021, client.customCertificates.create({ zone_id, certificate: file('leaf.pem'), private_key: file('ca.key') }));
  assert.equal((await client.customCertificates.delete(custom.id, { zone_id })).id, custom.id);
  await refused(404, 7003, client.customCertificates.get(custom.id, { zone_id }));
  assert.equal((await client.ssl.universal.settings.edit({ zone_id, enabled: false })).enabled, false);
  console.log('custom certificates');

  const pulls = client.originTLSClientAuth;
  const ofZone = await pulls.zoneCertificates.create({ zone_id, ...pair });
  assert.equal(ofZone.status, 'active');
  assert.equal((await all(pulls.zoneCertificates.list({ zone_id })))[0].id, ofZone.id);
  assert.equal((await pulls.settings.update({ zone_id, enabled: true })).enabled, true);
  assert.equal((await pulls.zoneCertificates.get(ofZone.id, { zone_id })).enabled, true);
  const ofHost = await pulls.hostnameCertificates.create({ zone_id, ...pair });
  const config = [{ hostname: 'www.sdk0.example', cert_id: ofHost.id, enabled: true }];
  const [host] = await all(pulls.hostnames.update({ zone_id, config }));
  assert.deepEqual([host.hostname, host.cert_id, host.enabled], ['www.sdk0.example', ofHost.id, true]);
  assert.equal((await pulls.hostnames.get('www.sdk0.example', { zone_id })).cert_status, 'active');
  await refused(400, 12025, pulls.hostnameCertificates.delete(ofHost.id, { zone_id }));
  await all(pulls.hostnames.update({ zone_id, config: [{ hostname: 'www.sdk0.example', enabled: null }] }));
  assert.equal((await pulls.hostnameCertificates.delete(ofHost.id, { zone_id })).id, ofHost.id);
  assert.equal((await pulls.zoneCertificates.delete(ofZone.id, { zone_id })).status, 'deleted');
  await refused(400, 12020, pulls.zoneCertificates.create({ zone_id, certificate: file('ca.pem'), private_key: file('ca.key') }));
  console.log('authenticated origin pulls');

  const account_id = zone.account.id;
  const ca = await client.mtlsCertificates.create({ account_id, ca: true, certificates: file('ca.pem'), name: 'sdk' });
  assert.deepEqual([ca.ca, ca.name, ca.certificates], [true, 'sdk', file('ca.pem')]);
  assert.deepEqual((await all(client.mtlsCertificates.list({ account_id }))).map((one) => one.id), [ca.id]);
  const hostnames = ['api.sdk0.example'];
  const hosts = client.certificateAuthorities.hostnameAssociations;
  assert.deepEqual((await hosts.update({ zone_id, mtls_certificate_id: ca.id, hostnames })).hostnames, hostnames);
  assert.deepEqual((await hosts.get({ zone_id, mtls_certificate_id: ca.id })).hostnames, hostnames);
  assert.equal((await all(client.mtlsCertificates.associations.get(ca.id, { account_id }))).length, 1);
  await refused(400, 12025, client.mtlsCertificates.delete(ca.id, { account_id }));
  await hosts.update({ zone_id, mtls_certificate_id: ca.id, hostnames: [] });
  assert.equal((await client.mtlsCertificates.delete(ca.id, { account_id })).id, ca.id);
  const issued = await client.clientCertificates.create({ zone_id, csr: file('request.csr'), validity_days: 365 });
  assert.deepEqual([issued.status, issued.common_name, issued.csr], ['active', 'client', file('request.csr')]);
  assert.equal((await all(client.clientCertificates.list({ zone_id, per_page: 5, status: 'active' }))).length, 1);
  assert.equal((await client.clientCertificates.delete(issued.id, { zone_id })).status, 'revoked');
  assert.equal((await client.clientCertificates.edit(issued.id, { zone_id, reactivate: true })).status, 'active');
  console.log('mTLS');
}

async function rulesets(client, zone) {
  const zone_id = zone.id;
  const phase = 'http_request_firewall_custom';
  await refused(404, 10003, client.rulesets.phases.get(phase, { zone_id }));
  const block = (expression) => ({ action: 'block', expression, description: 'by the SDK', enabled: true });
  const put = await client.rulesets.phases.update(phase, { zone_id, rules: [block('not cf.tls_client_auth.cert_verified')] });
  assert.deepEqual([put.kind, put.phase, put.version, put.rules.length], ['zone', phase, '1', 1]);
  const added = await client.rulesets.rules.create(put.id, { zone_id, ...block('cf.tls_client_auth.cert_revoked') });
  assert.equal(added.rules.length, 2);
  const edited = await client.rulesets.rules.edit(added.rules[1].id, { zone_id, ruleset_id: put.id, ...block('ssl'), position: { index: 1 } });
  assert.deepEqual(edited.rules.map((rule) => rule.expression), ['ssl', 'not cf.tls_client_auth.cert_verified']);
  assert.equal(edited.rules[0].id, added.rules[1].id);
  const fewer = await client.rulesets.rules.delete(edited.rules[0].id, { zone_id, ruleset_id: put.id });
  assert.equal(fewer.rules.length, 1);
  const headers = { 'X-Client': { operation: 'set', expression: 'cf.tls_client_auth.cert_subject_dn' }, 'X-Old': { operation: 'remove' } };
  const made = await client.rulesets.create({
    zone_id, kind: 'zone', name: 'sdk', phase: 'http_request_late_transform',
    rules: [{ action: 'rewrite', expression: 'true', action_parameters: { headers } }],
  });
  assert.deepEqual(made.rules[0].action_parameters.headers, headers);
  assert.deepEqual((await client.rulesets.get(made.id, { zone_id })).rules, made.rules);
  assert.deepEqual((await all(client.rulesets.list({ zone_id }))).map((one) => one.phase), [phase, 'http_request_late_transform']);
  await refused(400, 20127, client.rulesets.phases.update(phase, { zone_id, rules: [block('http.hos eq "a"')] }));
  await refused(400, 20217, client.rulesets.create({ zone_id, kind: 'zone', name: 'two', phase, rules: [] }));
  await client.rulesets.delete(made.id, { zone_id });
  await refused(404, 7003, client.rulesets.get(made.id, { zone_id }));
  console.log('rulesets');
}

async function main() {
  const client = new Cloudflare();
  const zone = await zones(client);
  await records(client, zone);
  await certificates(client, zone);
  await rulesets(client, zone);
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
