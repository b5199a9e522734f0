/** A link to somebody else's page: http(s) only, and nothing of this page goes with it. Any other address stays text. */
import type { ReactNode } from "react";

export function webAddress(written: string | null | undefined): string | null {
  if (!written) return null;
  try {
    const address = new URL(written);
    return address.protocol === "https:" || address.protocol === "http:" ? address.href : null;
  } catch {
    return null;
  }
}

export function Outward({ to, children }: { to: string | null | undefined; children: ReactNode }) {
  const address = webAddress(to);
  if (address == null) return <>{children}</>;
  return (
    <a href={address} target="_blank" rel="noopener noreferrer nofollow">
      {children}
    </a>
  );
}
