/** What is held against a launch of a real agent, one thing after the other, whatever became of those before. */
export interface Check {
  readonly name: string;
  /** Null where it passed. */
  readonly fault: string | null;
}

export type Story = readonly (readonly [name: string, check: () => Promise<void> | void])[];

export async function checked(story: Story): Promise<Check[]> {
  const checks: Check[] = [];
  for (const [name, check] of story) {
    try {
      await check();
      checks.push({ name, fault: null });
    } catch (error) {
      checks.push({ name, fault: error instanceof Error ? error.message : String(error) });
    }
  }
  return checks;
}
