// Calls to the server. The cookie goes along by itself; the token of this tab is a header.

const TOKEN = "imgsort-token";

/** The server said no: `status` 0 where it didn't answer at all. */
export class Refused extends Error {
  /** @param {number} status @param {string} sentence @param {any} [more] */
  constructor(status, sentence, more = {}) {
    super(sentence);
    this.status = status;
    this.more = more;
  }

  /** Will the same call do later? */
  get passes() {
    return this.status === 0 || this.status === 423 || this.status === 429 || this.status >= 500;
  }
}

export function token() {
  return sessionStorage.getItem(TOKEN);
}

export function keepToken(/** @type {string} */ value) {
  sessionStorage.setItem(TOKEN, value);
}

/**
 * @param {string} method
 * @param {string} path
 * @param {any} [body]
 * @returns {Promise<any>} Raises Refused.
 */
export async function call(method, path, body) {
  /** @type {Record<string, string>} */
  const headers = { "X-Imgsort-Token": token() ?? "" };
  if (method !== "GET") headers["Content-Type"] = "application/json";
  let response;
  try {
    response = await fetch(path, {
      method, headers, cache: "no-store", credentials: "same-origin", redirect: "error",
      body: method === "GET" ? undefined : JSON.stringify(body ?? {}),
    });
  } catch {
    throw new Refused(0, "The page’s server doesn’t answer. Is `imgsort review` still running?");
  }
  const told = await response.json().catch(() => null);
  if (response.ok && told) return told;
  // An answer that broke off is none.
  const status = response.ok ? 0 : response.status;
  throw new Refused(status, told?.error ?? `The server’s answer can’t be read (${response.status}).`, told ?? {});
}

export const get = (/** @type {string} */ path) => call("GET", path);
export const post = (/** @type {string} */ path, /** @type {any} */ body) => call("POST", path, body);

/** Where a picture's small form is. */
export function thumb(/** @type {string} */ sha256, /** @type {number} */ side) {
  return `/thumb/${sha256}?s=${side}`;
}

/** Open the page with the one-time key of the link. Raises Refused. */
export async function signIn(/** @type {string} */ key) {
  keepToken((await post("/api/session", { key })).token);
}

/**
 * Server-sent events, read by fetch: an EventSource can't send the token.
 * @param {(kind: string, data: any) => void} heard
 * @param {(open: boolean) => void} open
 */
export async function listen(heard, open) {
  let last = "";
  let pause = 500;
  for (;;) {
    try {
      const headers = { "X-Imgsort-Token": token() ?? "", ...(last ? { "Last-Event-ID": last } : {}) };
      const response = await fetch("/api/events", { headers, cache: "no-store" });
      if (response.ok && response.body) {
        open(true);
        pause = 500;
        for await (const event of events(response.body)) {
          if (event.id) last = event.id;
          heard(event.kind, event.data);
        }
      } else if (response.status === 401 || response.status === 403) {
        heard("signed-out", {});
        return;
      }
    } catch {
      // The server went away, or the connection did; it is tried again below.
    }
    open(false);
    await new Promise((done) => setTimeout(done, pause));
    pause = Math.min(pause * 2, 10_000);
  }
}

/** @param {ReadableStream<Uint8Array>} body */
async function* events(body) {
  const reader = body.pipeThrough(/** @type {any} */ (new TextDecoderStream())).getReader();
  let text = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    const parts = (text + value).split("\n\n");
    text = parts.pop() ?? "";
    for (const part of parts) {
      const event = parsed(part);
      if (event) yield event;
    }
  }
}

/** One event of the stream; null for a comment. @param {string} part */
export function parsed(part) {
  const event = { id: "", kind: "message", data: /** @type {any} */ (null) };
  let data = "";
  for (const line of part.split("\n")) {
    const [, name, value] = /^(\w+):\s?(.*)$/.exec(line) ?? [];
    if (name === "id") event.id = value;
    if (name === "event") event.kind = value;
    if (name === "data") data += value;
  }
  if (!data && event.kind === "message") return null;
  event.data = data ? JSON.parse(data) : null;
  return event;
}
