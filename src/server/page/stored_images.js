// Images that stay in this browser over a reload.

const NAME = "lrcn";
const STORE = "images";
/** Limits of what is kept. */
const MOST = { images: 200, bytes: 200e6 };

let opening;
/** Bytes of what is kept, by id; and of all, with what is being kept. */
const sizes = new Map();
const kept = { images: 0, bytes: 0 };

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
  for (const { id, file } of found) {
    count(1, file.size);
    sizes.set(id, file.size);
  }
  return found;
}

/** Keeps a file if the limits allow it; returns its id, or undefined. */
export async function store(file) {
  if (kept.images >= MOST.images || kept.bytes + file.size > MOST.bytes) return undefined;
  count(1, file.size);
  const id = await run("readwrite", (store) => store.add({ file }));
  if (id === undefined) count(-1, -file.size);
  else sizes.set(id, file.size);
  return id;
}

/** Removes a file. */
export async function unstore(id) {
  count(-1, -sizes.get(id));
  sizes.delete(id);
  await run("readwrite", (store) => store.delete(id));
}

function count(images, bytes) {
  kept.images += images;
  kept.bytes += bytes;
}
