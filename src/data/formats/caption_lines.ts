/** The non-blank lines of a text. */
export function captionLines(text: string): string[] {
  return text.split(/\r\n?|\n/).map((line) => line.trim()).filter((line) => line !== "");
}

/**
 * Says that some texts have several lines: if most have one, a caption may be broken into lines.
 *
 * @param lineCounts The number of lines of each text.
 */
export function remarkOnLines(lineCounts: readonly number[]): string | undefined {
  const several = lineCounts.filter((count) => count > 1).length;
  if (several === 0 || 2 * several > lineCounts.length) return undefined;
  return `${several} of ${lineCounts.length} texts have more than one line, and each line counts as a caption; ` +
    "if they are captions broken into lines, join these";
}
