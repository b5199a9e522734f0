/** Live: what does today's news say, of whom, and which model says so? */
import { Page } from "../../parts/page";
import type { PageProps } from "..";

export default function Live({ title, question }: PageProps) {
  return (
    <Page title={title} question={question}>
      <p>…</p>
    </Page>
  );
}
