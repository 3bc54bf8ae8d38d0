// What happens elsewhere, in every tab: one tab listens to the server and tells the others, for a
// browser opens six connections to a host and no more.

import { listen } from "./api.js";

/**
 * @param {(kind: string, data: any) => void} heard
 * @param {(open: boolean) => void} open
 */
export function follow(heard, open) {
  const channel = new BroadcastChannel("imgsort-live");
  channel.onmessage = ({ data }) => {
    if (data.kind === "open") open(data.data);
    else heard(data.kind, data.data);
  };
  const tell = (/** @type {string} */ kind, /** @type {any} */ data) => channel.postMessage({ kind, data });
  // Whoever holds the lock listens; when that tab closes, the next one does.
  navigator.locks.request("imgsort-live", () =>
    listen(
      (kind, data) => {
        heard(kind, data);
        tell(kind, data);
      },
      (isOpen) => {
        open(isOpen);
        tell("open", isOpen);
      },
    ));
}

/** Answers a new tab of this browser that has no token of its own yet. */
export function lend(/** @type {() => string | null} */ token) {
  const channel = new BroadcastChannel("imgsort-door");
  channel.onmessage = ({ data }) => {
    const own = token();
    if (data === "who is in?" && own) channel.postMessage({ token: own });
  };
}

/** The token of another tab of this very page, or null. @returns {Promise<string | null>} */
export function borrowed() {
  return new Promise((answer) => {
    const channel = new BroadcastChannel("imgsort-door");
    const end = (/** @type {string | null} */ value) => {
      clearTimeout(timer);
      channel.close();
      answer(value);
    };
    const timer = setTimeout(() => end(null), 400);
    channel.onmessage = ({ data }) => data?.token && end(data.token);
    channel.postMessage("who is in?");
  });
}
