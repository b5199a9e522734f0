/** A part of a whole; of nothing there is no share. */
export const share = (part: number, whole: number): number | null => (whole > 0 ? part / whole : null);
