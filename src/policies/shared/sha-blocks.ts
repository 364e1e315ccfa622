/** What SHA-1 and SHA-256 share: a message is followed by one bit, zeros, and its length in bits, and cut into blocks of sixteen words. */

/** The padded message as big-endian words, a whole number of blocks. */
export function paddedWords(bytes: Uint8Array): Int32Array {
  const words = new Int32Array((((bytes.length + 8) >>> 6) + 1) * 16);
  for (let at = 0; at < bytes.length; at++) words[at >>> 2] |= bytes[at] << (24 - 8 * (at & 3));
  words[bytes.length >>> 2] |= 0x80 << (24 - 8 * (bytes.length & 3));
  words[words.length - 2] = Math.floor(bytes.length / 0x2000_0000);
  words[words.length - 1] = bytes.length << 3;
  return words;
}

export const hexOf = (words: Int32Array): string =>
  Array.from(words, (word) => (word >>> 0).toString(16).padStart(8, '0')).join('');

export const rotatedLeft = (word: number, bits: number): number => (word << bits) | (word >>> (32 - bits));
