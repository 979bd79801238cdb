// The clipboard.

/** Copies a text, and says so on the button for a moment. */
export async function copy(text, button) {
  const label = button.dataset.label ??= button.textContent;
  button.textContent = await write(text) ? "Copied" : "Select it and press Ctrl C";
  setTimeout(() => button.textContent = label, 1500);
}

async function write(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    // Browsers offer the clipboard to https and this machine's own pages only.
    const field = document.createElement("textarea");
    field.value = text;
    document.body.append(field);
    field.select();
    const isCopied = document.execCommand("copy");
    field.remove();
    return isCopied;
  }
}
