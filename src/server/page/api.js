// What the page asks of the server.

/** Asks, and gives the answer's JSON; a problem is thrown as an Error with its detail. */
export async function ask(path, options) {
  let response;
  try {
    response = await fetch(path, options);
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Error("The server does not answer; is it still running?", { cause: error });
  }
  const answer = await response.json();
  if (!response.ok) throw new Error(answer.detail);
  return answer;
}

/** Sends an image with a query, whose lists become names that stand several times. */
export function send(path, query, { image, signal }) {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    for (const one of [value].flat()) parameters.append(name, one);
  }
  return ask(`${path}?${parameters}`, { method: "POST", body: image, signal });
}
