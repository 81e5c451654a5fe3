"""The npm package "cloudflare", as published: zones, records, batches, paging to the end, errors."""
from clients import HERE, Control, run, sdk_folder


def test_zones_and_records_by_the_sdk(tmp_path):
    folder = sdk_folder()
    control = Control(tmp_path)
    try:
        said = run("node", HERE / "sdk.js", folder,
                   environment={"CLOUDFLARE_BASE_URL": control.base, "CLOUDFLARE_API_TOKEN": control.operator_token})
    finally:
        control.stop()
    assert said.splitlines()[-1] == "batch, export, delete"
