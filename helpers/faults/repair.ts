/** Undoes a fault. A second call does nothing; a call that failed can be made again. */
export type Repair = () => Promise<void>
