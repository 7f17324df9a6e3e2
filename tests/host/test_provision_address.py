"""Hosts, ports and users given to `wattledger provision`: nothing gets into a line of another."""

import json

import pytest
from cryptography import x509

from wattledger.tools import cli
from wattledger.tools.errors import ProvisionError
from wattledger.tools.provision import address, tenant

LONG = ".".join(["a" * 63] * 3 + ["b" * 61])  # 253 characters, the most a name has
HOSTS = ["broker", "my_broker.local", "_mqtt._tcp.example", "10.0.0.7", "::1", "fd00::1", LONG]
NO_HOSTS = [
    *(
        "",
        " ",
        "a b",
        "a\nb",
        "a\n",
        "a\r",
        "a\tb",
        "a..b",
        ".a",
        "-a",
        "a-",
        "a" * 64,
        LONG + "b",
    ),
    *(
        "mqtts://a",
        "a:8883",
        "[::1]",
        "10.0.0.256",
        "1.2.3",
        "\u0663.1.1.1",
        "m\u00fcnchen",
        "*.a",
    ),
    "fe80::1%eth0",
]


@pytest.fixture
def site(tmp_path):
    tenant.create("acme", tmp_path / "ca", tmp_path / "keys", tmp_path / "gate")
    return tmp_path


def broker(site, *words):
    return cli.run(["provision", "broker", "--out", str(site / "broker"), *words])


def head_end(site, *words):
    return cli.run(["provision", "head-end", "--out", str(site / "head"), *words])


@pytest.mark.parametrize("host", HOSTS)
def test_names_and_addresses_of_real_networks_are_hosts(host):
    address.check_host("--host", host)
    address.check_bind("--bind", host)


@pytest.mark.parametrize("host", NO_HOSTS)
def test_what_is_no_host_is_refused_by_the_name_of_its_option(host):
    with pytest.raises(ProvisionError, match="^--host .*: is no host; give "):
        address.check_host("--host", host)


def test_an_esp32_has_no_ipv6():
    address.check_host("--broker", "my_broker", has_ipv6=False)
    with pytest.raises(ProvisionError, match="give a name or an IPv4 address"):
        address.check_host("--broker", "::1", has_ipv6=False)


def test_a_bind_may_name_the_network_of_a_link_local_address():
    address.check_bind("--bind", "fe80::1%wlan0")
    for text in ("fe80::1%", "fe80::1%a b", "fe80::1%a%b", "a%wlan0", "10.0.0.7%wlan0", "a b"):
        with pytest.raises(ProvisionError, match="^--bind "):
            address.check_bind("--bind", text)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--host", "a\nlistener 1883"], "--host 'a\\nlistener 1883': is no host"),
        (["--host", ""], "--host '': is no host"),
        (["--host", "a", "--host", "a b"], "--host 'a b': is no host"),
        (["--host", "a", "--port", "0"], "--port 0: give one from 1 to 65535"),
        (["--host", "a", "--port", "65536"], "--port 65536: give one"),
        (["--host", "a", "--head-end-port", "-1"], "--head-end-port -1: give one"),
        (["--host", "a", "--port", "8884"], "--port and --head-end-port are both 8884"),
        (["--host", "a", "--bind", "::\nuser root"], "--bind '::\\nuser root': is no host"),
        (["--host", "a", "--user", "root\nallow"], "--user 'root\\nallow': is no user's name"),
        (["--host", "a", "--user", ""], "--user '': is no user's name"),
        (["--host", "a", "--user", "a b"], "--user 'a b': is no user's name"),
    ],
)
def test_a_broker_whose_file_would_say_something_else_is_not_made(site, capsys, words, said):
    assert broker(site, *words) == 1
    assert capsys.readouterr().err.startswith(said)
    assert not (site / "broker").exists()


def test_a_folder_that_breaks_a_line_is_none_for_a_broker(site, capsys):
    words = ["--host", "a", "--out", str(site / "a\nb")]
    assert cli.run(["provision", "broker", "--ca", str(site / "ca"), *words]) == 1
    assert "no line of mosquitto's can name it" in capsys.readouterr().err


def test_the_file_and_the_certificate_have_what_was_given(site):
    words = ["--host", LONG, "--host", "my_broker.local", "--host", "fd00::1"]
    assert broker(site, *words, "--bind", "fd00::1", "--user", "mqtt-1", "--port", "65535") == 0
    text = (site / "broker" / "mosquitto.conf").read_text()
    assert "\nuser mqtt-1\n" in text and "\nlistener 65535 fd00::1\n" in text
    made = x509.load_pem_x509_certificate((site / "broker" / "server.pem").read_bytes())
    names = made.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == [LONG, "my_broker.local"]
    assert [str(one) for one in names.get_values_for_type(x509.IPAddress)] == ["fd00::1"]
    # RFC 5280, A.1: a common name has 64 characters at most.
    assert made.subject.rfc4514_string() == f"CN={LONG[:64]}"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--host", ""], "--host '': is no host"),
        (["--host", "mqtts://a"], "--host 'mqtts://a': is no host; give the name alone"),
        (["--host", "a", "--port", "65536"], "--port 65536: give one from 1 to 65535"),
    ],
)
def test_a_head_end_that_reaches_no_broker_is_not_made(site, capsys, words, said):
    assert head_end(site, *words) == 1
    assert capsys.readouterr().err.startswith(said)
    assert not (site / "head").exists()


def test_a_head_end_by_a_name_of_a_home_network(site):
    assert head_end(site, "--host", "my_broker") == 0
    assert json.loads((site / "head" / "head-end.json").read_text())["host"] == "my_broker"


def test_days_beyond_every_calendar_are_until_the_authority_ends(site):
    assert broker(site, "--host", "a", "--days", "99999999") == 0
    ends = [
        x509.load_pem_x509_certificate((site / name).read_bytes()).not_valid_after_utc
        for name in ("broker/server.pem", "ca/meters.pem")
    ]
    assert ends[0] == ends[1]


@pytest.mark.parametrize("value", ["--3", "-", "9" * 30, "\u00b2", "3-"])
def test_a_setting_that_looks_like_a_number_is_told_by_its_key(site, capsys, value):
    words = ["--board", "pi_ade7953", "--meter", "m", "--out", str(site / "m")]
    assert cli.run(["provision", *words, "--set", f"profile_s={value}"]) == 1
    assert capsys.readouterr().err.startswith("device.json: profile_s: must be a whole number")


def test_a_support_line_is_one_line(site, capsys):
    words = ["--board", "pi_ade7953", "--meter", "m", "--out", str(site / "m")]
    assert cli.run(["provision", *words, "--support", "call\nPIN 0000"]) == 2
    assert "--support is a line of text" in capsys.readouterr().err


@pytest.mark.parametrize("word", ["revoke", "decommission"])
def test_a_folder_that_is_no_brokers_is_told_before_anything_is_revoked(site, capsys, word):
    words = ["--board", "pi_ade7953", "--meter", "m", "--out", str(site / "m")]
    assert cli.run(["provision", *words]) == 0
    assert broker(site, "--host", "a") == 0
    places = ["--ca", str(site / "ca"), "--keys", str(site / "keys")]
    places += ["--gate", str(site / "gate")] if word == "decommission" else []
    capsys.readouterr()
    wrong = ["--broker-dir", str(site / "broker"), "--broker-dir", str(site / "none")]
    assert cli.run(["provision", word, "m", *places, *wrong]) == 1
    assert "none/meters.crl: no such file" in capsys.readouterr().err
    before = (site / "broker" / "meters.crl").read_bytes()
    right = ["--broker-dir", str(site / "broker")]
    assert cli.run(["provision", word, "m", *places, *right]) == 0
    assert (site / "broker" / "meters.crl").read_bytes() != before


def test_a_gate_that_lies_elsewhere_is_not_made_anew_beside_the_keys(tmp_path, capsys):
    elsewhere = tmp_path / "other" / "gate"
    tenant.create("acme", tmp_path / "ca", tmp_path / "keys", elsewhere)
    words = ["provision", "--board", "pi_ade7953", "--meter", "m", "--out", str(tmp_path / "m")]
    assert cli.run(words) == 2
    assert f"{tmp_path / 'gate'}: no such folder; name with --gate" in capsys.readouterr().err
    assert sorted(one.name for one in tmp_path.iterdir()) == ["ca", "keys", "other"]
    assert cli.run([*words, "--gate", str(elsewhere)]) == 0
    assert (elsewhere / "m.json").exists()
