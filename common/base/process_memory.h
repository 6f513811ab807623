#pragma once

namespace baton {

// Memory that a process has used and needs no more. glibc keeps it, in an arena for each few
// threads, and that for good: after one hour of large requests a service would look like one that
// leaks. Elsewhere both do nothing.
//
// Threading: MapLargeBlocks is called by main, before other threads are started; ReturnFreeMemory
// by any thread.

// From here on blocks of 4 MiB and more are mapped one by one, and unmapped when they are freed.
void MapLargeBlocks();

// Gives the pages of all free blocks back to the system. Takes a few milliseconds, more the more
// there is.
void ReturnFreeMemory();

}  // namespace baton
