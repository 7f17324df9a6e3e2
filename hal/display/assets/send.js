// What a person asks of the meter: a POST that no other web site can send, and what came of it.

const ANSWER_MS = 3000;

// True when the meter took it; `options` may hold keepalive.
export async function send(path, options = {}) {
  try {
    const answer = await fetch(path, {
      method: "POST",
      headers: { "X-Wattledger": "1" },
      signal: AbortSignal.timeout(ANSWER_MS),
      ...options,
    });
    return answer.ok;
  } catch {
    return false;
  }
}
