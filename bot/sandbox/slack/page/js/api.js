// The page's own protocol: JSON over /page/*, each call as one person.

let person = "";

export const speakAs = (id) => (person = id);

function address(path, query = {}) {
  const url = new URL(`/page/${path}`, location.origin);
  for (const [name, value] of Object.entries({ as: person, ...query })) {
    if (value !== undefined && value !== null && value !== "") url.searchParams.set(name, value);
  }
  return url;
}

async function answerOf(promise) {
  let response;
  try {
    response = await promise;
  } catch {
    return { ok: false, error: "unreachable", message: "The workspace does not answer. What you wrote is kept." };
  }
  const body = await response.json().catch(() => ({}));
  if (response.ok) return { ok: true, ...body };
  return { message: sentence(body.error || `status_${response.status}`), ...body, ok: false };
}

/** Slack's error codes in words. */
export function sentence(code) {
  const known = {
    not_in_channel: "You are not in this channel. Join it to write here.",
    no_text: "There is nothing to send.",
    message_not_found: "That message is gone.",
    channel_not_found: "That channel does not exist.",
    operation_timeout: "The app did not answer in time.",
    dispatch_failed: "The app could not be reached.",
    file_upload_size_restricted: "That file is too large.",
    already_reacted: "You have reacted with that already.",
    foreign_origin: "This page may only be used on its own machine.",
  };
  return known[code] || `That did not work (${code}).`;
}

export const get = (path, query) => answerOf(fetch(address(path, query)));

export const post = (path, body = {}, query = {}) =>
  answerOf(fetch(address(path, query), {
    method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body),
  }));

/** @param {File} file */
export function upload(file, { channel, threadTs, text }) {
  const form = new FormData();
  form.set("file", file, file.name);
  form.set("channel", channel);
  if (threadTs) form.set("thread_ts", threadTs);
  if (text) form.set("text", text);
  return answerOf(fetch(address("files"), { method: "POST", body: form }));
}

/** Live news; `opened` is called at each (re)connection, `lost` at each break. */
export function listen({ opened, lost, news }) {
  const source = new EventSource(address("events"));
  source.addEventListener("open", opened);
  source.addEventListener("error", () => lost(source.readyState === EventSource.CLOSED));
  source.addEventListener("message", (event) => news(JSON.parse(event.data)));
  return source;
}
