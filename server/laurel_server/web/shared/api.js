/** Calls of Laurel over REST, and its watches as server-sent events. */

const TOKEN = "laurel.token";
const FIRST_PAUSE = 500;
const LONGEST_PAUSE = 10_000;

/** What a refused call throws. `reason` is a name of ErrorReason, empty where the error is not Laurel's own. */
export class CallError extends Error {
  constructor(status, body) {
    const details = body?.details ?? [];
    const info = details.find((detail) => detail["@type"]?.endsWith("ErrorInfo"));
    const violations = details.find((detail) => detail["@type"]?.endsWith("BadRequest"))?.fieldViolations ?? [];
    const message = body?.message || `The server answers ${status}`;
    const fields = violations.map(({ field, description }) => `${field}: ${description}`);
    super([message, ...fields.filter((field) => !message.includes(field))].join("\n"));
    this.status = status;
    this.reason = info?.reason ?? "";
  }

  /** Whether a token is missing, unknown or not enough. */
  get asksForToken() {
    return this.status === 401 || this.status === 403;
  }

  /** Whether the same call may succeed later. 499: it came to a server that was just told to stop. */
  get mayPass() {
    return [0, 429, 499, 502, 503, 504].includes(this.status);
  }
}

/** Keeps the token that says who calls, for as long as this tab lives; empty forgets it. */
export function useToken(token) {
  if (token) sessionStorage.setItem(TOKEN, token);
  else sessionStorage.removeItem(TOKEN);
}

/** Reads. `query` names fields of the request, dotted where they are nested. */
export function get(path, query = {}, signal = undefined) {
  return call("GET", withQuery(path, query), undefined, signal);
}

/** Sends a request of one method; a body without request_id of its own gets one, so that it counts once. */
export function send(method, path, body) {
  return call(method, path, JSON.stringify(body));
}

/** Returns an idempotency key that nobody else has. */
export function newRequestId() {
  return crypto.randomUUID?.() ?? [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

/**
 * Follows a watch until `signal` aborts: `onMessage` for each message, `onState` with `live` or `waiting`. Goes on where
 * it stood when the connection breaks. Throws what will not pass.
 */
export async function watch(path, query, { signal, onMessage, onState = () => {} }) {
  let token = "";
  let pause = FIRST_PAUSE;
  while (!signal.aborted) {
    try {
      for await (const message of stream(withQuery(path, { ...query, resumeToken: token }), signal)) {
        onState("live");
        pause = FIRST_PAUSE;
        token = message.resumeToken || token;
        if (message.end) break;
        onMessage(message);
      }
    } catch (error) {
      if (signal.aborted) return;
      if (error.reason === "PAGE_TOKEN_INVALID" && token) token = "";
      else if (error instanceof CallError && !error.mayPass) throw error;
    }
    if (signal.aborted) return;
    onState("waiting");
    await rest(pause * (0.5 + Math.random()), signal);
    pause = Math.min(2 * pause, LONGEST_PAUSE);
  }
}

async function call(method, url, body, signal) {
  const response = await request(method, url, body, signal);
  return response.json();
}

async function request(method, url, body, signal) {
  const token = sessionStorage.getItem(TOKEN);
  const headers = { ...(body && { "content-type": "application/json" }), ...(token && { authorization: `Bearer ${token}` }) };
  let response;
  try {
    response = await fetch(url, { method, body, headers, signal, cache: "no-store" });
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new CallError(0, { message: "The server cannot be reached" });
  }
  if (!response.ok) throw new CallError(response.status, await response.json().catch(() => null));
  return response;
}

/** Yields the messages of one stream. Not an EventSource: that can send no token and does not say why it failed. */
async function* stream(url, signal) {
  const response = await request("GET", url, undefined, signal);
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    const events = (text + value).split("\n\n");
    text = events.pop();
    for (const event of events) {
      const data = event.split("\n").filter((line) => line.startsWith("data:")).map((line) => line.slice(5));
      if (data.length) yield messageOf(JSON.parse(data.join("\n")));
    }
  }
}

/** Returns a message of a stream; one that is an error is thrown. */
function messageOf(message) {
  if (message.code && message.message !== undefined) throw new CallError({ 1: 499, 14: 503 }[message.code] ?? 400, message);
  return message;
}

function withQuery(path, query) {
  const given = Object.entries(query).filter(([, value]) => value !== "" && value !== undefined && value !== null);
  const text = new URLSearchParams(given).toString();
  return text ? `${path}?${text}` : path;
}

function rest(milliseconds, signal) {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, milliseconds);
    signal.addEventListener("abort", () => { clearTimeout(timer); resolve(); }, { once: true });
  });
}
