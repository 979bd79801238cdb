/** The text that Git LFS leaves in place of a large file. */
export function lfsPointer(): string {
  return `version https://lfs.example/spec/v1\noid sha256:${"0".repeat(64)}\nsize 102540417\n`;
}
