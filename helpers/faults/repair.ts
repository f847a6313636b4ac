/** Undoes a fault. */
export type Repair = () => Promise<void>
