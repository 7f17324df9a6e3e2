"""The signed manifest of an application: who may sign it, and what it may list."""

import unittest

from wattledger.firmware import manifest as manifests
from wattledger.firmware.errors import UpdateError
from wattledger.firmware.manifest import Manifest, Signature, is_path, payload_of
from wattledger.tests.both import fixtures_es256 as es256
from wattledger.tests.both.houses_updates import (
    FIRMWARE_KEY,
    KEYS,
    NEW_FILES,
    ROOT_KEY,
    Release,
    flipped,
    listing,
    manifest,
)

HEAP = "512K"


def is_signed(message):
    """What a Signature says in the end; False too for what cannot be signed."""
    try:
        signature = Signature(message, KEYS)
    except UpdateError as error:
        assert error.reason in (manifests.NOT_SIGNED, manifests.TOO_LONG)
        return False
    found = None
    while found is None:
        found = signature.work()
    return found


class TestSignature(unittest.TestCase):
    def test_the_firmware_key_and_the_root_key_sign(self):
        self.assertTrue(is_signed(Release(8, NEW_FILES).message))
        self.assertTrue(is_signed(Release(8, NEW_FILES, ROOT_KEY, "root.1").message))

    def test_no_other_key_does(self):
        for private, kid in (
            (es256.TARIFF_KEY, "tariff.1"),
            (es256.TARIFF_KEY, "firmware.1"),
            (ROOT_KEY, "firmware.1"),
            (FIRMWARE_KEY, "firmware.2"),
        ):
            self.assertFalse(is_signed(Release(8, NEW_FILES, private, kid).message))

    def test_a_header_of_another_form_is_refused(self):
        text = manifest(8, NEW_FILES)
        for head in (
            '{"alg":"none","kid":"firmware.1"}',
            '{"alg":"HS256","kid":"firmware.1"}',
            '{"alg":"ES256", "kid":"firmware.1"}',
        ):
            self.assertFalse(is_signed(es256.sign(text, FIRMWARE_KEY, head=head)))

    def test_a_flipped_bit_in_header_payload_or_signature_is_refused(self):
        good = Release(8, NEW_FILES).message
        for part in range(3):
            self.assertFalse(is_signed(flipped(good, part)))

    def test_a_truncated_one_is_refused(self):
        good = Release(8, NEW_FILES).message
        for length in (0, 1, 40, len(good) // 2, len(good) - 1):
            self.assertFalse(is_signed(good[:length]))

    def test_one_over_16_kib_is_refused_unread(self):
        self.assertFalse(is_signed(b"x" * 16385))

    def test_a_pis_may_be_longer(self):
        most = manifests.limits("pi")
        self.assertEqual((most, manifests.limits("esp32")), ((131072, 1024), (16384, 128)))
        files = listing({"f%03d" % number: b"" for number in range(129)})
        text = manifest(8, {}, files=files, hw_class="pi").encode()
        self.assertEqual(len(Manifest(text, most).files), 129)
        for limit, reason in ((16384, manifests.TOO_LONG), (most[0], manifests.NOT_SIGNED)):
            try:
                Signature(b"x" * 16385, KEYS, limit)
            except UpdateError as error:
                self.assertEqual(error.reason, reason)


class TestContent(unittest.TestCase):
    def reason(self, text):
        """Why a payload is refused, or None."""
        try:
            Manifest(text.encode() if isinstance(text, str) else text)
        except UpdateError as error:
            return error.reason
        return None

    def test_what_it_says(self):
        found = Manifest(payload_of(Release(8, NEW_FILES, min_core=3).message))
        self.assertEqual(
            (found.app, found.version, found.sequence, found.min_core, found.hw_class),
            ("wattledger", "0.8", 8, 3, "esp32"),
        )
        self.assertEqual([file.path for file in found.files], sorted(NEW_FILES))
        self.assertEqual([file.size for file in found.files], [5120, 400, 0, 10])

    def test_text_that_is_no_manifest(self):
        for text in ("", "[]", "{", "[" * 300, b"\xff\xfe", "{}", '{"seq":1}'):
            self.assertEqual(self.reason(text), manifests.MALFORMED)

    def test_values_of_the_wrong_kind(self):
        for changes in (
            {"seq": 0},
            {"seq": True},
            {"seq": 2**32},
            {"seq": "8"},
            {"seq": 8.5},
            {"min_core": -1},
            {"app": "A B"},
            {"version": ""},
            {"hw_class": None},
            {"files": []},
            {"files": {}},
            {"extra": 1},
            {"files": listing({"f%03d" % n: b"" for n in range(129)})},
        ):
            self.assertEqual(self.reason(manifest(8, NEW_FILES, **changes)), manifests.MALFORMED)

    def test_files_of_the_wrong_kind(self):
        good = listing({"a": b"x"})[0]
        for key, value in (
            ("size", -1),
            ("size", True),
            ("size", 2**32),
            ("sha256", good["sha256"][:-1]),
            ("sha256", good["sha256"][:-1] + "x"),
            ("sha256", good["sha256"].upper()),
            ("sha256", 1),
            ("more", 1),
        ):
            file = dict(good)
            file[key] = value
            self.assertEqual(self.reason(manifest(8, {}, files=[file])), manifests.MALFORMED)

    def test_each_path_once_and_in_order(self):
        a, b = listing({"a": b"", "b": b""})
        for files in ([b, a], [a, a]):
            self.assertEqual(self.reason(manifest(8, {}, files=files)), manifests.MALFORMED)
        self.assertEqual(self.reason(manifest(8, {}, files=[a, b])), None)

    def test_no_path_leaves_its_slot(self):
        for path in (
            "../b/x",
            "a/../../x",
            "/etc/passwd",
            "a//b",
            "a/",
            "./a",
            "a/.",
            "..",
            ".",
            "",
            "a\\b",
            "A",
            "a b",
            "a\x00",
            "\u00e4",
            "a..b",
            "x" * 97,
            "manifest",
            "manifest.8",
            "manifest/x",
        ):
            self.assertFalse(is_path(path))
            files = listing({"a": b""})
            files[0]["path"] = path
            self.assertEqual(self.reason(manifest(8, {}, files=files)), manifests.BAD_PATH)
        for path in ("a", "a/b.mpy", "display/assets/page.css.gz", "_x/a-b", "x" * 96):
            self.assertTrue(is_path(path))
        self.assertFalse(is_path(5))

    def test_no_file_is_a_folder_too(self):
        files = listing({"a": b"", "a-b": b"", "a/c": b""})
        self.assertEqual(self.reason(manifest(8, {}, files=files)), manifests.BAD_PATH)


class TestCheck(unittest.TestCase):
    def reason(self, hw_class="esp32", core=1, least=8):
        found = Manifest(manifest(8, NEW_FILES).encode())
        try:
            found.check(hw_class, core, least)
        except UpdateError as error:
            return error.reason
        return None

    def test_hardware_core_and_sequence(self):
        self.assertEqual(self.reason(), None)
        self.assertEqual(self.reason(hw_class="pi"), manifests.OTHER_HARDWARE)
        self.assertEqual(self.reason(core=0), manifests.OTHER_CORE)
        self.assertEqual(self.reason(core=2), None)
        self.assertEqual(self.reason(least=9), manifests.OLD_SEQUENCE)


if __name__ == "__main__":
    unittest.main()
