// Requests to the server. A refusal is thrown as Refused, with the field that is wrong.

const TOKEN = "memn2n-token";

export class Refused extends Error {
  constructor(code, message, field) {
    super(message);
    this.code = code;
    this.field = field;
  }
}

export function keepToken(token) {
  if (!/^[!-~]+$/.test(token)) throw new Refused("unauthorized", "A token has only printable ASCII characters.", null);
  sessionStorage.setItem(TOKEN, token);
}

export function get(path, signal) {
  return call(path, { signal });
}

export function post(path, content, signal) {
  const body = JSON.stringify(content);
  return call(path, { method: "POST", body, signal, headers: { "content-type": "application/json" } });
}

async function call(path, options) {
  const token = sessionStorage.getItem(TOKEN);
  const headers = { ...options.headers, ...(token && { authorization: `Bearer ${token}` }) };
  let response, content;
  try {
    response = await fetch(path, { ...options, headers });
    content = await response.json();
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Refused("unreachable", "The server does not answer. Is it still running?", null);
  }
  if (!response.ok) {
    const { code = "unknown", message = `The server responded with status ${response.status}.`, field = null } = content?.error ?? {};
    throw new Refused(code, message, field);
  }
  return content;
}
