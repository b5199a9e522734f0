/** A Dagster run: a link where the platform says where Dagster's pages are, its id otherwise. */
import { useAbout } from "../api/queries";
import { Outward } from "./outward";

export function RunLink({ id, children }: { id: string; children?: React.ReactNode }) {
  const base = useAbout().data?.dagster_url ?? null;
  const text = children ?? (
    <>
      run <code>{id.slice(0, 8)}</code>
    </>
  );
  return <Outward to={base && `${base.replace(/\/$/, "")}/runs/${encodeURIComponent(id)}`}>{text}</Outward>;
}
