"""The image: its Dockerfile is linted, and carried out in a plain folder as far as that goes without Docker."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.deploy import dockerfile

PROGRAM = """
import importlib, json, sys
apps = [f"services.{name}.app" for name in ("pledges", "practices", "mptf", "calendar")]
paths = {name: len(importlib.import_module(name).create_app().openapi()["paths"]) for name in apps}
assert callable(importlib.import_module("gateway.app").create_app())
for name in ("shared.serve", "tools.database", "tools.migrate", "tools.seed"):
    importlib.import_module(name)
from tools.migrate import heads
print(json.dumps({
    "paths": paths,
    "migrations": {name: sorted(heads(name)) for name in ("pledges", "practices", "mptf", "calendar")},
    "from": sorted({module.__file__ for module in sys.modules.values() if getattr(module, "__file__", None)}),
}))
"""


def test_hadolint_has_no_finding() -> None:
    hadolint = Path(sys.executable).parent / "hadolint"
    linted = subprocess.run(
        [hadolint, "--failure-threshold", "ignore", "--format", "json", "Dockerfile"],
        cwd=dockerfile.TOP,
        capture_output=True,
        text=True,
        check=False,
    )
    assert json.loads(linted.stdout) == [], linted.stderr


def test_what_must_not_be_in_an_image_is_not_sent() -> None:
    sent = {str(path) for path in dockerfile.context()}
    assert "requirements.lock" in sent
    assert "shared/auth.py" in sent
    tops = {path.split("/")[0] for path in sent}
    assert tops == {"requirements.lock", "alembic.ini", "shared", "services", "gateway", "tools", "deploy"}
    assert not [path for path in sent if "__pycache__" in path or path.endswith(".pyc")]


def test_processes_do_not_run_as_root() -> None:
    for stage in ("platform", "identity"):
        user = [rest for word, rest in dockerfile.stages()[stage] if word == "USER"][-1]
        assert int(user) >= 1000


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str]]:
    """The root of the carried-out platform stage, and its processes' environment."""
    root = tmp_path_factory.mktemp("image")
    dockerfile.build(root, "dependencies", without=frozenset())
    # Making a user needs root and changes nothing that is tested here.
    return root, dockerfile.build(root, "platform", without=frozenset({"useradd"}))


def test_every_application_starts_from_what_was_copied(image: tuple[Path, dict[str, str]]) -> None:
    root, environment = image
    settings = {
        "OIDC_ISSUER": "https://identity.example/realms/gcm",
        **{
            f"{name}_DATABASE_URL": "postgresql://nobody:x@127.0.0.1:1/gcm"
            for name in ("PLEDGES", "PRACTICES", "MPTF", "CALENDAR")
        },
    }
    run = subprocess.run(
        [root / "opt/venv/bin/python", "-c", PROGRAM],
        cwd=root / "app",
        env=environment | settings,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert run.returncode == 0, run.stderr
    found = json.loads(run.stdout)
    assert all(found["paths"].values())
    assert all(found["migrations"].values())
    assert not [name for name in found["from"] if name.startswith(str(dockerfile.TOP))], (
        "nothing of the checkout is used"
    )


def test_the_entrypoint_names_a_module_that_is_there(image: tuple[Path, dict[str, str]]) -> None:
    root, _ = image
    instructions = dict(dockerfile.stages()["platform"])
    python, flag, module = json.loads(instructions["ENTRYPOINT"])
    assert (python, flag) == ("python", "-m")
    assert (root / "app" / Path(*module.split("."))).with_suffix(".py").exists()
    assert json.loads(instructions["CMD"]) == ["gateway.app"]
