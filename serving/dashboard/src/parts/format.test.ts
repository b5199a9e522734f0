import { describe, expect, it } from "vitest";
import { ago, bytes, counted, duration, milliseconds, moment, number, percent, signed } from "./format";

describe("numbers", () => {
  it("writes what is not there as a dash, and never as 0", () => {
    for (const write of [number, signed, percent, milliseconds, bytes]) {
      expect(write(null)).toBe("-");
      expect(write(undefined)).toBe("-");
      expect(write(Number.NaN)).toBe("-");
    }
  });

  it("gives a sign to what is left after rounding, and none to zero", () => {
    expect(signed(0.126)).toBe("+0.13");
    expect(signed(-0.126)).toBe("\u22120.13");
    expect(signed(0.001)).toBe("0.00");
    expect(signed(-0.001)).toBe("0.00");
  });

  it("never rounds a share to nothing or to all when it is neither", () => {
    expect(percent(0)).toBe("0 %");
    expect(percent(1)).toBe("100 %");
    expect(percent(0.0001)).toBe("< 1 %");
    expect(percent(0.9999)).toBe("> 99 %");
    expect(percent(0.9999, 1)).toBe("> 99.9 %");
    expect(percent(0.125, 1)).toBe("12.5 %");
  });

  it("chooses units that fit", () => {
    expect(milliseconds(0.83)).toBe("0.8 ms");
    expect(milliseconds(31.4)).toBe("31 ms");
    expect(milliseconds(1234)).toBe("1.2 s");
    expect(bytes(0)).toBe("0 B");
    expect(bytes(2_340)).toBe("2.3 kB");
    expect(bytes(91_900_000)).toBe("92 MB");
    expect(counted(1, "story", "stories")).toBe("1 story");
    expect(counted(1200, "story", "stories")).toBe("1,200 stories");
  });
});

describe("times", () => {
  const now = new Date(2026, 2, 2, 14, 0, 0);

  it("leaves out what today and this year say already", () => {
    expect(moment(new Date(2026, 2, 2, 9, 5), now)).toBe("09:05");
    expect(moment(new Date(2026, 1, 27, 9, 5), now)).toBe("27 Feb 09:05");
    expect(moment(new Date(2025, 10, 27, 9, 5), now)).toBe("27 Nov 2025");
  });

  it("tells how long ago in the largest unit", () => {
    expect(ago(new Date(now.getTime() - 2_000), now)).toBe("just now");
    expect(ago(new Date(now.getTime() + 2_000), now)).toBe("just now");
    expect(ago(new Date(now.getTime() - 75_000), now)).toBe("1 min ago");
    expect(duration(7_300)).toBe("2 h");
    expect(duration(3 * 86_400)).toBe("3 days");
  });
});
