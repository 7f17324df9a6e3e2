// The views from the meter: an event stream, watched, with a fallback when there is no room in it.

const RETRY_MS = 5000;

// Calls `onView(view)` for each view and `onSign()` for any sign of life.
export function openStream(onView, onSign) {
  let source = null;
  let retry = null;

  function open() {
    close();
    source = new EventSource("/events");
    source.addEventListener("open", onSign);
    source.addEventListener("heartbeat", onSign);
    source.addEventListener("view", (event) => {
      onSign();
      onView(JSON.parse(event.data));
    });
    source.addEventListener("error", () => {
      // The browser reconnects a broken stream by itself, but gives up on a refusal (the meter
      // serves a few displays at once). One without a place looks now and then.
      if (source?.readyState !== EventSource.CLOSED) return;
      look();
      retry = setTimeout(open, RETRY_MS);
    });
  }

  function close() {
    clearTimeout(retry);
    source?.close();
    source = null;
  }

  async function look() {
    try {
      const answer = await fetch("/view");
      if (!answer.ok) return;
      const view = await answer.json();
      onSign();
      onView(view);
    } catch {
      // Silence is what the offline bar reports.
    }
  }

  // A hidden tab gives its place back: a browser keeps only six connections to one host, and the
  // meter serves a few displays.
  document.addEventListener("visibilitychange", () => (document.hidden ? close() : open()));
  addEventListener("pagehide", close);
  addEventListener("pageshow", (event) => event.persisted && open());
  open();
}
