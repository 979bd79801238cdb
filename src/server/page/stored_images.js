// Images that stay in this browser over a reload.

const NAME = "lrcn";
const STORE = "images";
/** Limits of what is kept. */
const MOST = { images: 200, bytes: 200e6 };

let opening;
/** What is kept: bytes by id. */
const kept = new Map();

function open() {
  opening ??= new Promise((resolve, reject) => {
    const request = indexedDB.open(NAME, 1);
    request.onupgradeneeded = () => request.result.createObjectStore(STORE, { keyPath: "id", autoIncrement: true });
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
  return opening;
}

/** Runs a request; undefined if this browser keeps nothing, as in a private window. */
async function run(mode, ask) {
  try {
    const store = (await open()).transaction(STORE, mode).objectStore(STORE);
    return await new Promise((resolve, reject) => {
      const request = ask(store);
      request.onsuccess = () => resolve(request.result);
      request.onerror = () => reject(request.error);
    });
  } catch {
    return undefined;
  }
}

/** The images kept: id and file, in the order they were added. */
export async function storedImages() {
  const found = await run("readonly", (store) => store.getAll()) ?? [];
  for (const { id, file } of found) kept.set(id, file.size);
  return found;
}

/** Keeps a file if the limits allow it; returns its id, or undefined. */
export async function store(file) {
  const bytes = [...kept.values()].reduce((sum, size) => sum + size, file.size);
  if (kept.size >= MOST.images || bytes > MOST.bytes) return undefined;
  const id = await run("readwrite", (store) => store.add({ file }));
  if (id !== undefined) kept.set(id, file.size);
  return id;
}

/** Removes a file. */
export async function unstore(id) {
  kept.delete(id);
  await run("readwrite", (store) => store.delete(id));
}
