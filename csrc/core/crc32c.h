// CRC-32C (Castagnoli, polynomial 0x1EDC6F41, reflected), the checksum of TensorFlow's checkpoints.
#pragma once

#include <cstddef>
#include <cstdint>

#include "layernet/export.h"

namespace layernet {

LAYERNET_API std::uint32_t crc32c(const void* data, std::size_t size) noexcept;

}  // namespace layernet
