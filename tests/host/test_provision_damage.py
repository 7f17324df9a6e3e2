"""Damaged files of a tenant, and odd passphrases: named in a line, nothing made of them."""

import pytest

from wattledger.tools import cli, sealing
from wattledger.tools.provision import tenant


@pytest.fixture
def site(tmp_path):
    tenant.create("acme", tmp_path / "ca", tmp_path / "keys", tmp_path / "gate")
    return tmp_path


def told(site, capsys):
    """(exit code, stderr) of making a meter."""
    capsys.readouterr()
    words = ["--board", "pi_ade7953", "--meter", "m", "--out", str(site / "m")]
    code = cli.run(["provision", *words])
    return code, capsys.readouterr().err


@pytest.mark.parametrize(
    "text", ["[]", "1", '{"1f": 2}', '{"1f": {"name": "m"}}', '{"1f": []}', "{"]
)
def test_a_list_of_the_issued_that_is_none(site, capsys, text):
    (site / "ca" / "meters.json").write_text(text)
    code, err = told(site, capsys)
    assert code == 1 and not (site / "m").exists()
    assert err.startswith(f"{site}/ca/meters.json: cannot be read; restore it")


def test_an_authority_whose_key_is_of_no_known_kind(site, capsys):
    import base64

    # PKCS 8 with an algorithm of another arc: 1.2.840.7997.2.1 in place of 1.2.840.10045.2.1.
    key = site / "ca" / "meters.key"
    lines = key.read_text().splitlines()
    data = base64.b64decode("".join(lines[1:-1])).replace(
        bytes.fromhex("2a8648ce3d0201"), bytes.fromhex("2a8648be3d0201")
    )
    key.write_text("\n".join([lines[0], base64.encodebytes(data).decode().strip(), lines[-1]]))
    code, err = told(site, capsys)
    assert code == 1 and err.startswith(f"{site}/ca/meters.key: no PEM private key")


def test_a_passphrase_that_is_no_utf8_is_the_bytes_it_is(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv(sealing.PASSPHRASE, "gr\udcfcn")
    tenant.create("acme", tmp_path / "ca", tmp_path / "keys", tmp_path / "gate")
    assert sealing.passphrase() == b"gr\xfcn"
    assert told(tmp_path, capsys)[0] == 0
    monkeypatch.setenv(sealing.PASSPHRASE, "gr\udcfdn")
    words = [
        "--board",
        "pi_ade7953",
        "--ca",
        str(tmp_path / "ca"),
        "--keys",
        str(tmp_path / "keys"),
    ]
    assert cli.run(["provision", "renew", "m", *words, "--out", str(tmp_path / "r")]) == 1
    assert "does not open; is WATTLEDGER_PASSPHRASE" in capsys.readouterr().err


def test_a_passphrase_that_no_key_takes(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv(sealing.PASSPHRASE, "x" * 1024)
    assert cli.run(["provision", "tenant", "acme", "--out", str(tmp_path)]) == 1
    assert "has more than 1023 bytes; shorten it" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
