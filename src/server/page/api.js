// Requests to the server.

/** Fetches; a problem is thrown as an Error with its detail and status. */
export async function request(path, options) {
  let response;
  try {
    response = await fetch(path, options);
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Error("The server does not answer; is it still running?", { cause: error });
  }
  if (response.ok) return response;
  const { detail, status } = await response.json();
  throw Object.assign(new Error(detail), { status });
}

/** Requests JSON. */
export async function ask(path, options) {
  const response = await request(path, options);
  return await response.json();
}

/** Posts an image with a query; lists become repeated parameters. */
export async function send(path, query, { image, signal }) {
  try {
    await image.slice(0, 1).arrayBuffer();
  } catch (error) {
    throw new Error("It cannot be read; is it a folder, or has the file changed?", { cause: error });
  }
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    for (const one of [value].flat()) parameters.append(name, one);
  }
  return ask(`${path}?${parameters}`, { method: "POST", body: image, signal });
}
