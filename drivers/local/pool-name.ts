/** The pool in an agent's data folder, which every host has: its disks are counted with the host's own disk. */
export const localPool = 'local';
