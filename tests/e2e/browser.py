"""Pages in a real browser: headless Chromium, spoken to over a pipe, with nothing fetched and everything that goes wrong kept.

Needs no package: the DevTools protocol is JSON, one message after the other, each ended by a null byte.
"""

from __future__ import annotations

import base64
import fcntl
import importlib.resources
import json
import os
import select
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

CHROMIUM = next((p for name in ("chromium", "chromium-browser", "google-chrome") if (p := shutil.which(name))), None)
needs_chromium = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on PATH to open the page with")
_FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
    "--remote-debugging-pipe",
)
_PATIENCE = 90.0  # seconds for one answer: plots are drawn on a machine that may be busy


class Browser:
    """A running Chromium with a profile and a folder for downloads of its own; use `started`."""

    def __init__(self, folder: Path) -> None:
        assert CHROMIUM is not None
        self.downloads = folder / "downloads"
        self.downloads.mkdir(parents=True)
        to_browser, self._out = _pipe()
        self._in, from_browser = _pipe()

        def wire() -> None:
            os.dup2(to_browser, 3)
            os.dup2(from_browser, 4)

        self.process = subprocess.Popen(
            [CHROMIUM, *_FLAGS, f"--user-data-dir={folder / 'profile'}"],
            stderr=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            preexec_fn=wire,
            pass_fds=(3, 4),
        )
        os.close(to_browser)
        os.close(from_browser)
        self._buffer = b""
        self._last = 0
        self._tabs: dict[str, Tab] = {}
        self.saved: dict[str, dict[str, Any]] = {}
        self.send(
            "Browser.setDownloadBehavior", behavior="allowAndName", downloadPath=str(self.downloads), eventsEnabled=True
        )

    def send(self, method: str, session: str | None = None, **parameters: Any) -> dict[str, Any]:
        """Send one command, and return its answer; what the browser tells in the meantime is kept."""
        number = self.tell(method, session, **parameters)
        end = time.monotonic() + _PATIENCE
        while time.monotonic() < end:
            message = self._received(end - time.monotonic())
            if message.get("id") == number:
                if "error" in message:
                    raise RuntimeError(f"{method}: {message['error']['message']}")
                answer: dict[str, Any] = message["result"]
                return answer
        raise TimeoutError(f"no answer to {method} within {_PATIENCE:g} s")

    def tell(self, method: str, session: str | None = None, **parameters: Any) -> int:
        """Send one command without waiting for its answer."""
        self._last += 1
        message = {"id": self._last, "method": method, "params": parameters}
        if session is not None:
            message["sessionId"] = session
        data = json.dumps(message).encode() + b"\0"
        while data:
            data = data[os.write(self._out, data) :]
        return self._last

    def _received(self, patience: float) -> dict[str, Any]:
        while b"\0" not in self._buffer:
            if not select.select([self._in], [], [], max(patience, 0.0))[0]:
                raise TimeoutError("the browser says nothing")
            piece = os.read(self._in, 1 << 20)
            if not piece:
                raise RuntimeError("the browser ended by itself")
            self._buffer += piece
        text, self._buffer = self._buffer.split(b"\0", 1)
        message: dict[str, Any] = json.loads(text)
        if message.get("method") in ("Browser.downloadWillBegin", "Browser.downloadProgress"):
            given = message["params"]
            self.saved.setdefault(given["guid"], {}).update(given)
        elif message.get("sessionId") in self._tabs:
            self._tabs[message["sessionId"]].told(message)
        return message

    def listen(self, seconds: float) -> None:
        """Read what the browser tells for a while."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            try:
                self._received(left)
            except TimeoutError:
                return

    def open(self, page: Path, width: int = 1300, height: int = 1000, *, dark: bool = False) -> Tab:
        """Open a file in a tab of its own and wait until it is loaded."""
        target = self.send("Target.createTarget", url="about:blank")["targetId"]
        session = self.send("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        tab = self._tabs[session] = Tab(self, session, target)
        for domain in ("Page", "Runtime", "Log", "Network"):
            tab.send(f"{domain}.enable")
        tab.send("Fetch.enable", patterns=[{"urlPattern": "*"}])
        tab.resize(width, height)
        tab.scheme(dark)
        tab.send("Page.navigate", url=page.as_uri())
        tab.until("document.readyState === 'complete'")
        return tab

    def close(self) -> None:
        """End the browser."""
        try:
            self.send("Browser.close")
            self.process.wait(20)
        except (OSError, RuntimeError, TimeoutError, subprocess.TimeoutExpired):
            self.process.kill()
            self.process.wait()
        os.close(self._in)
        os.close(self._out)


class Tab:
    """One page: `problems` are its errors, `requests` the addresses outside it that it asked for (none is answered)."""

    def __init__(self, browser: Browser, session: str, target: str) -> None:
        self.browser, self.session, self.target = browser, session, target
        self.problems: list[str] = []
        self.requests: list[str] = []

    def send(self, method: str, **parameters: Any) -> dict[str, Any]:
        return self.browser.send(method, self.session, **parameters)

    def told(self, message: dict[str, Any]) -> None:
        """Take note of what the browser tells of this page."""
        given = message.get("params", {})
        match message.get("method"):
            case "Runtime.exceptionThrown":
                details = given["exceptionDetails"]
                self.problems.append(details.get("exception", {}).get("description") or details["text"])
            case "Runtime.consoleAPICalled" if given["type"] in ("error", "assert"):
                self.problems.append(" ".join(str(a.get("value", a.get("description"))) for a in given["args"]))
            case "Log.entryAdded" if given["entry"]["level"] == "error":
                self.problems.append(given["entry"]["text"])
            case "Fetch.requestPaused":
                address, ours = given["request"]["url"], ("file:", "data:", "blob:", "about:")
                if address.startswith(ours):
                    self.browser.tell("Fetch.continueRequest", self.session, requestId=given["requestId"])
                else:
                    self.requests.append(address)
                    self.browser.tell(
                        "Fetch.failRequest", self.session, requestId=given["requestId"], errorReason="BlockedByClient"
                    )

    def evaluate(self, code: str) -> Any:
        """Compute an expression of JavaScript in the page; a promise is waited for."""
        answer = self.send("Runtime.evaluate", expression=code, awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in answer:
            raise RuntimeError(answer["exceptionDetails"].get("exception", {}).get("description", code))
        return answer["result"].get("value")

    def until(self, condition: str) -> None:
        """Wait until an expression holds."""
        end = time.monotonic() + _PATIENCE
        while not self._holds(condition):
            if time.monotonic() > end:
                raise TimeoutError(f"this never held within {_PATIENCE:g} s: {condition}")
            self.browser.listen(0.05)

    def _holds(self, condition: str) -> bool:
        """Whether an expression holds; while the page is exchanged for another, nothing does."""
        try:
            return bool(self.evaluate(condition))
        except RuntimeError:
            return False

    def click(self, selector: str) -> None:
        """Press the first element that a selector finds."""
        self.evaluate(f"document.querySelector({json.dumps(selector)}).click()")

    def press(self, key: str, code: int, *, shift: bool = False) -> None:
        """Press and release a key, such as ``("Tab", 9)``."""
        text = {"Enter": "\r", " ": " "}.get(key)
        given = {"key": key, "code": key, "windowsVirtualKeyCode": code, "modifiers": 8 if shift else 0}
        self.send("Input.dispatchKeyEvent", type="keyDown", **given, **({"text": text} if text else {}))
        self.send("Input.dispatchKeyEvent", type="keyUp", **given)

    def resize(self, width: int, height: int = 1000) -> None:
        """Give the window another size."""
        self.send("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)

    def scheme(self, dark: bool) -> None:
        """Choose the light or the dark scheme, as the reader's system would."""
        self.send("Page.bringToFront")  # a tab behind others is not told of changes
        chosen = [{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]
        self.send("Emulation.setEmulatedMedia", media="", features=chosen)

    def download(self, selector: str) -> tuple[str, str]:
        """Press a button that saves a file; its name and its text."""
        before = set(self.browser.saved)
        self.click(selector)
        end = time.monotonic() + _PATIENCE
        while time.monotonic() < end:
            new = [f for guid, f in self.browser.saved.items() if guid not in before and f.get("state") == "completed"]
            if new:
                file = self.browser.downloads / new[0]["guid"]
                return new[0]["suggestedFilename"], file.read_text(encoding="utf-8")
            self.browser.listen(0.05)
        raise TimeoutError(f"{selector} saved nothing within {_PATIENCE:g} s")

    def pdf(self) -> bytes:
        """Print the page on A4."""
        answer = self.send("Page.printToPDF", preferCSSPageSize=True, printBackground=False)
        return base64.b64decode(answer["data"])

    def screenshot(self, file: Path, *, whole: bool = True) -> Path:
        """Save a picture of the page, or of what the window shows of it."""
        answer = self.send("Page.captureScreenshot", captureBeyondViewport=whole)
        file.write_bytes(base64.b64decode(answer["data"]))
        return file

    def violations(self, least: tuple[str, ...] = ("serious", "critical")) -> list[str]:
        """What an automated check of accessibility (axe-core) finds: rule, element and what is wrong with it."""
        if not self.evaluate("typeof axe === 'object'"):
            self.evaluate(axe_source() + "; 0")
        found = self.evaluate("axe.run(document, {resultTypes: ['violations']}).then((r) => r.violations)")
        return [
            f"{v['id']} ({v['impact']}): {node['html'][:160]}: {node['failureSummary']}"
            for v in found
            if v["impact"] in least
            for node in v["nodes"]
        ]

    def close(self) -> None:
        """Close the tab."""
        self.browser.send("Target.closeTarget", targetId=self.target)


def axe_source() -> str:
    """The script of axe-core, which only tests use."""
    pytest.importorskip("axe_core_python", reason="axe-core is not installed: pip install 'paget[test]'")
    return importlib.resources.files("axe_core_python").joinpath("axe.min.js").read_text(encoding="utf-8")


def _pipe() -> tuple[int, int]:
    """A pipe whose ends are numbered above those that the browser expects."""
    ends = []
    for end in os.pipe():
        ends.append(fcntl.fcntl(end, fcntl.F_DUPFD_CLOEXEC, 10))
        os.close(end)
    return ends[0], ends[1]


@contextmanager
def started(folder: Path) -> Iterator[Browser]:
    """``with started(folder) as browser:`` a browser that is gone afterwards."""
    browser = Browser(folder)
    try:
        yield browser
    finally:
        browser.close()
