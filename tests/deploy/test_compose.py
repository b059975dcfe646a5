"""docker-compose.yml: valid, without secrets, every container hardened and watched; and the sign-in realm's rules."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from tests.deploy import dockerfile

TOP = dockerfile.TOP
COMPOSE: dict[str, Any] = json.loads(json.dumps(YAML(typ="safe").load((TOP / "docker-compose.yml").read_text())))
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
REALM: dict[str, Any] = json.loads((TOP / "deploy/keycloak/realm.json").read_text())
ONCE = {"prepare", "migrate", "seed"}
PUBLISHED = {"gateway", "identity"}
REQUIRED = re.compile(r"\$\{([A-Z_]+):\?[^}]*\}")


def test_the_file_is_valid() -> None:
    checked = subprocess.run(
        [
            Path(sys.executable).parent / "check-jsonschema",
            "--builtin-schema",
            "vendor.compose-spec",
            "docker-compose.yml",
        ],
        cwd=TOP,
        capture_output=True,
        text=True,
        check=False,
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr


@pytest.mark.parametrize("name", SERVICES)
def test_containers_are_hardened(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert int(service["user"].split(":")[0]) > 0
    assert service["tmpfs"]
    assert service["mem_limit"]
    assert service["pids_limit"]
    assert "privileged" not in service
    assert "docker.sock" not in json.dumps(service)


@pytest.mark.parametrize("name", SERVICES)
def test_containers_are_watched(name: str) -> None:
    service = SERVICES[name]
    if name in ONCE:
        assert service["restart"] == "no"
        assert service["healthcheck"] == {"disable": True}
    else:
        assert service["restart"] == "unless-stopped"
        assert service["healthcheck"]["test"][0] in ("CMD", "CMD-SHELL")


@pytest.mark.parametrize("name", SERVICES)
def test_only_the_two_doors_are_published_and_on_this_machine_only(name: str) -> None:
    ports = SERVICES[name].get("ports", [])
    assert bool(ports) == (name in PUBLISHED)
    assert all(port.startswith("127.0.0.1:") for port in ports)
    outward = {network for network, options in COMPOSE["networks"].items() if not options.get("internal")}
    assert bool(outward & set(SERVICES[name]["networks"])) == (name in PUBLISHED)


@pytest.mark.parametrize("name", SERVICES)
def test_secrets_come_from_the_environment(name: str) -> None:
    for variable, value in SERVICES[name].get("environment", {}).items():
        if re.search(r"PASSWORD|SECRET(?!ARIAT)", variable):
            assert REQUIRED.fullmatch(value), variable
        if url := re.search(r"://[^/@:]+:([^@]*)@", value):
            assert REQUIRED.fullmatch(url[1]), variable


@pytest.mark.parametrize("name", SERVICES)
def test_whoever_is_waited_for_can_become_what_is_waited_for(name: str) -> None:
    for other, wait in SERVICES[name].get("depends_on", {}).items():
        expected = "service_completed_successfully" if other in ONCE else "service_healthy"
        assert wait["condition"] == expected


@pytest.mark.parametrize("name", SERVICES)
def test_containers_that_talk_share_a_network(name: str) -> None:
    for value in SERVICES[name].get("environment", {}).values():
        for host in re.findall(r"//(?:[^/@]*@)?([a-z-]+)(?=[:/])", value):
            assert set(SERVICES[host]["networks"]) & set(SERVICES[name]["networks"]), f"{name} cannot reach {host}"


def test_each_service_knows_its_own_database_alone() -> None:
    for name in ("pledges", "practices", "mptf", "calendar"):
        urls = [variable for variable in SERVICES[name]["environment"] if variable.endswith("DATABASE_URL")]
        assert urls == [f"{name.upper()}_DATABASE_URL"]
        assert f"//gcm_{name}:" in SERVICES[name]["environment"][urls[0]]
    holders = [name for name in SERVICES if "DATABASE_URL" in SERVICES[name].get("environment", {})]
    assert holders == ["prepare"]
    assert not [v for v in SERVICES["gateway"]["environment"] if v.endswith("DATABASE_URL")]


def test_images_are_pinned_and_our_own_are_built() -> None:
    for service in SERVICES.values():
        if "build" in service:
            assert service["build"]["target"] in dockerfile.stages()
        else:
            assert re.fullmatch(r"[a-z/]+:[0-9][\w.-]*", service["image"])
    for stage in dockerfile.stages().values():
        assert re.fullmatch(r"[a-z/]+:[0-9][\w.-]* AS [a-z-]+", stage[0][1])


def test_the_example_names_every_variable_and_no_secret() -> None:
    text = (TOP / "docker-compose.yml").read_text()
    used = set(re.findall(r"(?<!\$)\$\{([A-Z_]+)", text))
    lines = [line for line in (TOP / ".env.example").read_text().splitlines() if line and not line.startswith("#")]
    example = dict(line.split("=", 1) for line in lines)
    assert set(example) == used
    assert not [name for name in example if name in set(REQUIRED.findall(text)) and example[name]]


def test_the_realm_has_the_roles_and_no_secret() -> None:
    assert {role["name"] for role in REALM["roles"]["realm"]} == {
        "secretariat",
        "reviewer",
        "resident_coordinator",
        "fund_management_unit",
        "steering_committee",
    }
    assert "users" not in REALM
    assert not re.search(r'"(secret|credentials|password|privateKey)"\s*:', json.dumps(REALM))


def test_the_realm_issues_the_access_tokens_that_are_accepted() -> None:
    (client,) = REALM["clients"]
    assert client["attributes"]["access.token.header.type.rfc9068"] == "true"
    assert client["attributes"]["pkce.code.challenge.method"] == "S256"
    assert client["publicClient"]
    assert not client["directAccessGrantsEnabled"]
    (scope,) = (scope for scope in REALM["clientScopes"] if scope["name"] in client["defaultClientScopes"])
    mappers = {mapper["name"]: mapper["config"] for mapper in scope["protocolMappers"]}
    assert mappers["audience"]["included.custom.audience"] == SERVICES["pledges"]["environment"]["OIDC_AUDIENCE"]
    assert {name: mappers[name].get("claim.name") for name in ("email", "roles", "entity", "countries")} == {
        name: name for name in ("email", "roles", "entity", "countries")
    }
    assert mappers["roles"]["multivalued"] == mappers["countries"]["multivalued"] == "true"
    assert all(config["access.token.claim"] == "true" for config in mappers.values())
    assert REALM["defaultSignatureAlgorithm"] in ("RS256", "ES256", "EdDSA")
    issuer = SERVICES["pledges"]["environment"]["OIDC_ISSUER"]
    assert issuer.endswith(f"/realms/{REALM['realm']}")


def test_only_administrators_set_what_a_person_speaks_for() -> None:
    (component,) = REALM["components"]["org.keycloak.userprofile.UserProfileProvider"]
    (profile,) = component["config"]["kc.user.profile.config"]
    attributes = {attribute["name"]: attribute for attribute in json.loads(profile)["attributes"]}
    for name in ("username", "entity", "countries"):
        assert attributes[name]["permissions"]["edit"] == ["admin"]
    assert json.loads(profile).get("unmanagedAttributePolicy") is None
