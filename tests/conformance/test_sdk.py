"""The npm package "cloudflare", as published: zones, records, batches, paging to the end, errors,
certificates and rulesets."""
from clients import HERE, Control, make_certificates, run, sdk_folder


def test_zones_records_and_certificates_by_the_sdk(tmp_path):
    folder = sdk_folder()
    files = tmp_path / "certificates"
    files.mkdir()
    make_certificates(files, "sdk0.example")
    control = Control(tmp_path)
    try:
        said = run("node", HERE / "sdk.js", folder, files,
                   environment={"CLOUDFLARE_BASE_URL": control.base, "CLOUDFLARE_API_TOKEN": control.operator_token})
    finally:
        control.stop()
    assert said.splitlines()[-1] == "rulesets"
