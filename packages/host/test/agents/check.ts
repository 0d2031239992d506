/** What is held against a launch of a real agent, one thing after the other, whatever became of those before. */
export interface Check {
  readonly name: string;
  /** Null where it passed. */
  readonly fault: string | null;
}

export type Story = readonly (readonly [name: string, check: () => Promise<void> | void])[];

/** `onEach` hears of each as soon as it was tried. */
export async function checked(story: Story, onEach: (check: Check) => void = () => undefined): Promise<Check[]> {
  const checks: Check[] = [];
  for (const [name, check] of story) {
    const done = { name, fault: await faultOf(check) };
    checks.push(done);
    onEach(done);
  }
  return checks;
}

async function faultOf(check: Story[number][1]): Promise<string | null> {
  try {
    await check();
    return null;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
