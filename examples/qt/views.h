/* The views of a file: every reading of it that a receiver may be shown, as far as Qt reads them.
 */
#pragma once

#include "gate.h"

/* The views of a file, what most viewers show first, its digests, and how much of it was read.
 * Bad bytes give fewer views and DOORSILL_READ_PARTLY, never an exception. What one
 * picture may take is the host's to say: QImageReader::setAllocationLimit, 128 MB or 33 megapixels
 * where it says nothing. */
Reading viewsOf(const QByteArray &file);
