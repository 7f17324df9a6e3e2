"""The part of CPython's unittest that the portable tests use, for MicroPython, which has none.

Differences from CPython's: a class is run in the order of its methods' names, and what is not here
does not exist (no mock, no discovery, no floats).
"""

import gc
import sys


class SkipTest(Exception):
    """Raised to skip a test; the argument is the reason."""


class Results:
    """Counts of one run; failures and skips are printed as they happen."""

    def __init__(self):
        self.ran = 0
        self.failed = 0
        self.skipped = 0

    def failure(self, name, error):
        self.failed += 1
        print("FAIL " + name)
        sys.print_exception(error, sys.stdout)

    def skip(self, name, reason):
        self.skipped += 1
        print("SKIP %s: %s" % (name, reason))


class _Raises:
    def __init__(self, expected):
        self.expected = expected
        self.exception = None

    def __enter__(self):
        return self

    def __exit__(self, kind, error, traceback):
        if kind is None:
            raise AssertionError("%r was not raised" % (self.expected,))
        self.exception = error
        return issubclass(kind, self.expected)


class _SubTest:
    """Reports a failure inside it and lets the test go on with the next one."""

    def __init__(self, case, message, parameters):
        self.case = case
        words = [] if message is None else [str(message)]
        # A dict has no order here; a report should read the same every time.
        words += ["%s=%r" % (key, parameters[key]) for key in sorted(parameters)]
        self.label = ", ".join(words)

    def __enter__(self):
        return self

    def __exit__(self, kind, error, traceback):
        if kind is None or not issubclass(kind, Exception):
            return False
        if issubclass(kind, SkipTest):
            self.case._results.skip("%s (%s)" % (self.case._name, self.label), error)
        else:
            self.case._results.failure("%s (%s)" % (self.case._name, self.label), error)
        return True


class TestCase:
    _skip = None  # the reason, set by skipIf and skipUnless on a class
    _name = ""
    _results = None

    @classmethod
    def setUpClass(cls):
        pass

    @classmethod
    def tearDownClass(cls):
        pass

    def setUp(self):
        pass

    def tearDown(self):
        pass

    def subTest(self, msg=None, **parameters):
        return _SubTest(self, msg, parameters)

    def skipTest(self, reason):
        raise SkipTest(reason)

    def fail(self, msg=None):
        raise AssertionError(msg or "failed")

    def _check(self, holds, what, msg):
        if not holds:
            raise AssertionError(what if msg is None else "%s : %s" % (what, msg))

    def assertEqual(self, first, second, msg=None):
        self._check(first == second, "%r != %r" % (first, second), msg)

    def assertNotEqual(self, first, second, msg=None):
        self._check(first != second, "%r == %r" % (first, second), msg)

    def assertTrue(self, value, msg=None):
        self._check(value, "%r is not true" % (value,), msg)

    def assertFalse(self, value, msg=None):
        self._check(not value, "%r is not false" % (value,), msg)

    def assertIs(self, first, second, msg=None):
        self._check(first is second, "%r is not %r" % (first, second), msg)

    def assertIsNot(self, first, second, msg=None):
        self._check(first is not second, "unexpectedly identical: %r" % (first,), msg)

    def assertIsNone(self, value, msg=None):
        self._check(value is None, "%r is not None" % (value,), msg)

    def assertIsNotNone(self, value, msg=None):
        self._check(value is not None, "unexpectedly None", msg)

    def assertIn(self, member, container, msg=None):
        self._check(member in container, "%r not found in %r" % (member, container), msg)

    def assertNotIn(self, member, container, msg=None):
        self._check(member not in container, "%r found in %r" % (member, container), msg)

    def assertIsInstance(self, value, kind, msg=None):
        self._check(isinstance(value, kind), "%r is not a %r" % (value, kind), msg)

    def assertLess(self, first, second, msg=None):
        self._check(first < second, "%r not less than %r" % (first, second), msg)

    def assertLessEqual(self, first, second, msg=None):
        self._check(first <= second, "%r not less than or equal to %r" % (first, second), msg)

    def assertGreater(self, first, second, msg=None):
        self._check(first > second, "%r not greater than %r" % (first, second), msg)

    def assertGreaterEqual(self, first, second, msg=None):
        self._check(first >= second, "%r not greater than or equal to %r" % (first, second), msg)

    def assertRaises(self, expected, function=None, *arguments, **keywords):
        context = _Raises(expected)
        if function is None:
            return context
        with context:
            function(*arguments, **keywords)
        return None


def skipIf(condition, reason):
    """Skip a test class or a test method when `condition` holds."""

    def decorate(item):
        if not condition:
            return item
        if isinstance(item, type):
            item._skip = reason
            return item

        # A wrapper, because functions have no attributes here.
        def skipped(self):
            raise SkipTest(reason)

        return skipped

    return decorate


def skipUnless(condition, reason):
    return skipIf(not condition, reason)


def skip(reason):
    return skipIf(True, reason)


def _run_method(case, name, results):
    try:
        case.setUp()
    except SkipTest as skipped:
        results.skip(case._name, skipped)
        return
    except Exception as error:
        results.failure(case._name, error)
        return
    for step in (name, "tearDown"):
        try:
            getattr(case, step)()
        except SkipTest as skipped:
            results.skip(case._name, skipped)
        except Exception as error:
            results.failure(case._name, error)


def run_class(kind, results):
    names = sorted(name for name in dir(kind) if name.startswith("test"))
    if kind._skip is not None:
        for name in names:
            results.skip("%s.%s" % (kind.__name__, name), kind._skip)
        return
    try:
        kind.setUpClass()
    except SkipTest as skipped:
        results.skip(kind.__name__, skipped)
        return
    except Exception as error:
        results.failure(kind.__name__ + ".setUpClass", error)
        return
    for name in names:
        case = kind()
        case._name = "%s.%s" % (kind.__name__, name)
        case._results = results
        results.ran += 1
        _run_method(case, name, results)
        # Garbage of one test must not be the memory fault of the next.
        gc.collect()
    try:
        kind.tearDownClass()
    except Exception as error:
        results.failure(kind.__name__ + ".tearDownClass", error)


def main(module="__main__"):
    """Run the test classes of a module (by name) and exit: 0 all passed, 1 not."""
    results = Results()
    try:
        __import__(module)
    except SkipTest as skipped:
        results.skip(module, skipped)
    except Exception as error:
        results.failure(module, error)
    else:
        found = sys.modules[module]
        for name in sorted(dir(found)):
            kind = getattr(found, name)
            if isinstance(kind, type) and issubclass(kind, TestCase) and kind is not TestCase:
                run_class(kind, results)
    print("Ran %d: %d failed, %d skipped" % (results.ran, results.failed, results.skipped))
    sys.exit(1 if results.failed else 0)
