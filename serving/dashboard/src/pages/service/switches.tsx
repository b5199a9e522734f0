/** The switches: what is on and off, who turned it last, and a person's turning of one. */
import { useEffect, useRef, useState } from "react";
import type { Schemas } from "../../api/client";
import { useFlags } from "../../api/queries";
import { Badge } from "../../parts/badge";
import { Card } from "../../parts/card";
import { Loaded } from "../../parts/loaded";
import { Time } from "../../parts/time";
import { meaning } from "./switched";
import { Turn } from "./turn";

type Flag = Schemas["FlagShown"];

/** What is off, said before everything else. */
export function SwitchedOff() {
  const told = useFlags().data;
  if (told && !told.flags) {
    const off = Object.keys(told.here).filter((name) => told.here[name] === false);
    return off.map((name) => <p key={name} className="band warning"><strong>{name} is off here.</strong> Who turned it is not known: the database does not tell it.</p>);
  }
  const off = told?.flags?.filter(({ enabled }) => !enabled) ?? [];
  return off.map((flag) => (
    <p key={flag.name} className="band warning">
      <strong>{flag.name} is off.</strong> <TurnedBy flag={flag} /> {meaning(flag.allows).off} <a href="#switches">Turn it on</a>
    </p>
  ));
}

export function Switches() {
  const flags = useFlags();
  return (
    <Card title="Switches" anchor="switches" aside={<span className="note">for all processes, within 2 s</span>}>
      <Loaded query={flags} what="The switches">
        {({ flags: every, here, missing }) => !every ? (
          <>
            <p className="band warning">Only what this process goes by is known; none can be turned now. {missing}</p>
            <ul className="switches">
              {Object.entries(here).map(([name, on]) => <li key={name}><h3>{name} <Badge tone={on ? "good" : "warning"}>{on ? "on" : "off"}</Badge></h3></li>)}
            </ul>
          </>
        ) : (
          <ul className="switches">
            {every.map((flag) => (
              <Switch key={flag.name} flag={flag} />
            ))}
          </ul>
        )}
      </Loaded>
    </Card>
  );
}

function Switch({ flag }: { flag: Flag }) {
  const [asked, setAsked] = useState(false);
  const opener = useRef<HTMLButtonElement>(null);
  const closed = useRef(false);
  // Whoever leaves the form by keyboard goes on where it was opened.
  useEffect(() => {
    if (!asked && closed.current) opener.current?.focus();
    closed.current = asked;
  }, [asked]);
  const { on, off } = meaning(flag.allows);
  return (
    <li>
      <h3>
        {flag.name} <Badge tone={flag.enabled ? "good" : "warning"}>{flag.enabled ? "on" : "off"}</Badge>
      </h3>
      <p>{flag.enabled ? on : off}</p>
      <p className="note"><TurnedBy flag={flag} /></p>
      {asked ? (
        <Turn flag={flag} onDone={() => setAsked(false)} />
      ) : (
        <button type="button" className="button plain" ref={opener} onClick={() => setAsked(true)} aria-label={`Turn ${flag.enabled ? "off" : "on"}: ${flag.name}`}>
          {flag.enabled ? "Turn off" : "Turn on"}
        </button>
      )}
    </li>
  );
}

const TurnedBy = ({ flag }: { flag: Flag }) =>
  flag.revision === 0 ? (
    <>Nobody ever turned it.</>
  ) : (
    <>
      Turned {flag.enabled ? "on" : "off"} by {flag.actor ?? "somebody"}, <Time at={flag.changed_at} ago />: {flag.reason ?? "without a reason"}.
    </>
  );
