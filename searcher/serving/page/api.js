// Requests: one way to ask the server, whose errors are lines to be shown as they are.

const KEPT = "searcher-token"; // for this tab alone

/** What went wrong, as the server says it. status: 0 where it did not answer. */
export class Problem extends Error {
  constructor(message, status, body = {}) {
    super(message);
    this.status = status;
    this.kind = body.error?.type;
    this.wait = body.wait;
  }
}

export function keepToken(token) {
  sessionStorage.setItem(KEPT, token);
}

function authorized() {
  const token = sessionStorage.getItem(KEPT);
  return token ? { Authorization: `Bearer ${token}` } : {};
}

async function answered(path, options) {
  let response;
  try {
    response = await fetch(path, { ...options, headers: { ...authorized(), ...options.headers } });
  } catch (fault) {
    if (fault.name === "AbortError") throw fault;
    throw new Problem("The server does not answer.", 0);
  }
  const body = await response.json().catch((fault) => {
    if (fault.name === "AbortError") throw fault;
    if (response.ok) throw new Problem("The answer of the server broke off.", 0);
    return {};
  });
  if (!response.ok) throw new Problem(body.detail ?? `The server says ${response.status}.`, response.status, body);
  return body;
}

export function get(path, query, signal) {
  return answered(`${path}?${new URLSearchParams(query)}`, { signal });
}

export function post(path, body, signal) {
  const headers = { "Content-Type": "application/json" };
  return answered(path, { method: "POST", headers, body: JSON.stringify(body), signal });
}

/** Send a file. told: called with the share that has gone, from 0 to 1. */
export function send(file, told) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest(); // fetch does not say how far an upload is
    request.open("PUT", `/files/${encodeURIComponent(file.name)}`);
    for (const [name, value] of Object.entries(authorized())) request.setRequestHeader(name, value);
    request.setRequestHeader("Content-Type", "application/octet-stream");
    request.responseType = "json";
    request.upload.onprogress = (event) => event.lengthComputable && told(event.loaded / event.total);
    request.onerror = () => reject(new Problem("The server does not answer.", 0));
    request.onload = () => {
      const body = request.response ?? {};
      if (request.status < 300) resolve(body);
      else reject(new Problem(body.detail ?? `The server says ${request.status}.`, request.status, body));
    };
    request.send(file);
  });
}

/** Asks one thing at a time: the question before is given up when the next one comes, and an answer that is late is none. */
export class Latest {
  #control = null;

  async run(work) {
    this.stop();
    const control = (this.#control = new AbortController());
    try {
      const found = await work(control.signal);
      return control.signal.aborted ? null : found;
    } catch (fault) {
      if (control.signal.aborted || fault.name === "AbortError") return null;
      throw fault;
    }
  }

  stop() {
    this.#control?.abort();
  }
}
