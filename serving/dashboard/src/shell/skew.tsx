/** A quiet line where pages and API are not of one release: which is older, and what to do. */
import { useAbout } from "../api/queries";
import { MADE_FOR, skew } from "./versions";

export function Skew() {
  const { data, error } = useAbout();
  const said = data ? skew(MADE_FOR, data.version) : error?.status === 404 ? skew(MADE_FOR, "0.0") : null;
  return said && <p className="skew">{said}</p>;
}
