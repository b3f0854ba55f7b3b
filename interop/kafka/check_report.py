"""How a check reports: one line each, `ok`, `FAILED` or `skipped` with its reason, in the form of interop/run.sh."""
import re
import time
import traceback

from kafka_peers import Missing


class Wrong(Exception):
    """What a peer saw is not what it should have seen."""


def expect(condition, what):
    if not condition:
        raise Wrong(what)


def expect_line(text, pattern):
    """Raises unless a line of the text matches; returns the match."""
    match = re.search(pattern, text, re.MULTILINE)
    expect(match, f"no line '{pattern}' in:\n{text.strip()[-2000:]}")
    return match


class Report:
    def __init__(self, wanted, log_folder, left_out=()):
        self._wanted = wanted
        self._left_out = left_out
        self._log_folder = log_folder
        self.passed = self.failed = self.skipped = 0

    def check(self, name, function, *arguments):
        """Runs one check; what it returns is printed behind its name."""
        if not self._is_wanted(name):
            return
        begin = time.monotonic()
        try:
            said = function(*arguments)
            took = f"{time.monotonic() - begin:.0f} s"
            print(f"ok       {name}: {said + ', ' if said else ''}{took}", flush=True)
            self.passed += 1
        except Missing as reason:
            print(f"skipped  {name}: {reason}", flush=True)
            self.skipped += 1
        except Exception as failure:  # pylint: disable=broad-exception-caught  # Whatever a client raises is this check's end, not the run's.
            print(f"FAILED   {name}: {failure if isinstance(failure, (Wrong, RuntimeError)) else repr(failure)}", flush=True)
            if not isinstance(failure, Wrong):
                with open(self._log_folder / "traces.log", "a", encoding="utf-8") as log:
                    log.write(f"{name}\n{traceback.format_exc()}\n")
            self.failed += 1

    def _is_wanted(self, name):
        lower = name.lower()
        return (not self._wanted or any(word.lower() in lower for word in self._wanted)) and not any(word.lower() in lower for word in self._left_out)

    def skip(self, name, reason):
        if not self._is_wanted(name):
            return
        print(f"skipped  {name}: {reason}", flush=True)
        self.skipped += 1
