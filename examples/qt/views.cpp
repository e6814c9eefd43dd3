#include "views.h"

#include <QBuffer>
#include <QColorSpace>
#include <QCryptographicHash>
#include <QImageReader>
#include <cstring>

namespace {

constexpr int FRAMES = 300; /* of one file, 30 s of a usual animation */

doorsill_digests digestsOf(const QByteArray &file) {
  doorsill_digests digests;
  const auto put = [&](QCryptographicHash::Algorithm kind, uint8_t *bytes, size_t size) {
    std::memcpy(bytes, QCryptographicHash::hash(file, kind).constData(), size);
  };
  put(QCryptographicHash::Sha256, digests.sha256, sizeof digests.sha256);
  put(QCryptographicHash::Sha1, digests.sha1, sizeof digests.sha1);
  put(QCryptographicHash::Md5, digests.md5, sizeof digests.md5);
  return digests;
}

/* Whether its first bytes claim that it is a picture, of a kind that Qt may not read. */
bool claimsPicture(const QByteArray &file) {
  static const QByteArray starts[] = {"\xff\xd8\xff",
                                      "\x89PNG",
                                      "GIF8",
                                      "8BPS",
                                      "\xff\x0a",
                                      QByteArray("II*\0", 4),
                                      QByteArray("MM\0*", 4),
                                      QByteArray("\0\0\1\0", 4)};
  for (const QByteArray &start : starts)
    if (file.startsWith(start)) return true;
  return file.mid(4, 4) == "ftyp" || file.mid(4, 2) == "jP" ||
         (file.startsWith("RIFF") && file.mid(8, 4) == "WEBP") ||
         (file.startsWith("BM") && file.mid(6, 4) == QByteArray(4, '\0')) ||
         (file.startsWith('<') && file.left(512).contains("<svg"));
}

/* Whether the file stops before its own end, which Qt's decoders fill with gray or nothing. */
bool isCutShort(const QByteArray &file, const QByteArray &format) {
  if (format == "jpeg") /* no end behind the last scan; a thumbnail has an end of its own */
    return file.lastIndexOf("\xff\xd9") < file.lastIndexOf("\xff\xda");
  if (format == "png") return !file.contains("IEND");
  return false;
}

/* What a PNG says of itself before its pixels begin. */
QByteArray headOf(const QByteArray &png) { return png.left(png.indexOf("IDAT")); }

/* Whether there is a colour profile that a viewer may follow; Qt reads the simpler kinds. */
bool hasProfile(const QByteArray &file, const QByteArray &format) {
  return (format == "jpeg" && file.contains(QByteArray("ICC_PROFILE\0", 12))) ||
         (format == "png" && headOf(file).contains("iCCP")) ||
         (format == "webp" && file.contains("ICCP"));
}

void addColours(const QImage &image, Reading &reading) {
  const QColorSpace space = image.colorSpace();
  if (space.isValid() && space != QColorSpace(QColorSpace::SRgb)) {
    const QImage managed = image.convertedToColorSpace(QColorSpace::SRgb);
    if (!managed.isNull()) reading.views.append(managed);
  }
  reading.views.append(image);
}

/* Reads every frame, turned upright or as stored. */
void readFrames(const QByteArray &file, bool turned, Reading &reading) {
  QBuffer buffer;
  buffer.setData(file);
  buffer.open(QIODevice::ReadOnly);
  QImageReader reader(&buffer);
  reader.setDecideFormatFromContent(true);
  reader.setAutoTransform(turned);
  const int count = reader.imageCount(); /* 0 where the format does not tell */
  int frames = 0;
  while (frames < qBound(1, count, FRAMES)) {
    const QImage image = reader.read();
    if (image.isNull()) break;
    addColours(image, reading);
    frames++;
    /* Animations go on by themselves, pages of a document do not. */
    if (frames < count && !reader.supportsAnimation() && !reader.jumpToNextImage()) break;
  }
  const bool unknown = count == 0 && reader.supportsAnimation();
  if (frames < qMax(1, count) || unknown) reading.reading = DOORSILL_READ_PARTLY;
}

}  // namespace

Reading viewsOf(const QByteArray &file) {
  Reading reading;
  reading.digests.append(digestsOf(file));
  QBuffer buffer;
  buffer.setData(file);
  buffer.open(QIODevice::ReadOnly);
  QImageReader reader(&buffer);
  reader.setDecideFormatFromContent(true);
  static const QByteArrayList known = {"png", "jpeg", "gif", "webp", "tiff", "bmp", "ico"};
  if (!claimsPicture(file)) {
    reading.reading = DOORSILL_NOT_A_PICTURE;
    return reading;
  }
  const QByteArray format = reader.canRead() ? reader.format() : QByteArray();
  if (!known.contains(format)) {
    reading.reading = DOORSILL_READ_PARTLY;
    return reading;
  }
  const bool turned = reader.transformation() != QImageIOHandler::TransformationNone;
  /* Of an animated PNG Qt reads the first picture alone. */
  if (isCutShort(file, format) || (format == "png" && headOf(file).contains("acTL")))
    reading.reading = DOORSILL_READ_PARTLY;
  readFrames(file, true, reading);
  if (hasProfile(file, format) && !reading.views.isEmpty() &&
      !reading.views.last().colorSpace().isValid())
    reading.reading = DOORSILL_READ_PARTLY;
  if (turned && format != "jpeg") readFrames(file, false, reading); /* viewers disagree */
  return reading;
}
