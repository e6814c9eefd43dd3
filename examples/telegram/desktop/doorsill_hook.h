// What the patch beside this file calls: Telegram/SourceFiles/storage/doorsill_hook.h. Qt 6.3 and
// up.
#pragma once

#include <doorsill.h>

#include <QtCore/QCryptographicHash>
#include <QtCore/QFile>
#include <QtGui/QImage>
#include <cstring>
#include <vector>

namespace Doorsill {

inline const doorsill_list *&List() {
  static const doorsill_list *list = nullptr;
  return list;
}

// The verdict on a file: its pixels, decoded already (null where it is no picture), and its bytes.
// Without a list everything is stopped.
inline uint32_t Screen(const QImage &image, QByteArrayView bytes) {
  doorsill_digests digests;
  const auto sum = [&](QCryptographicHash::Algorithm kind, uint8_t *to) {
    const auto made = QCryptographicHash::hash(bytes, kind);
    std::memcpy(to, made.constData(), size_t(made.size()));
  };
  sum(QCryptographicHash::Sha256, digests.sha256);
  sum(QCryptographicHash::Sha1, digests.sha1);
  sum(QCryptographicHash::Md5, digests.md5);
  const auto shown = image.convertToFormat(QImage::Format_RGBA8888);  // alpha not premultiplied
  const doorsill_pixels pixels = {shown.constBits(), shown.bytesPerLine(), uint32_t(shown.width()),
                                  uint32_t(shown.height()), DOORSILL_RGBA};
  const doorsill_view view = {&pixels, nullptr, nullptr, 0};
  const size_t views = image.isNull() ? 0 : 1;
  std::vector<uint8_t> space(doorsill_workspace(&view, views));
  doorsill_policy policy;
  doorsill_policy_default(&policy);
  doorsill_verdict verdict;
  const auto status =
      List() ? doorsill_screen(&List(), 1, &view, views, &digests, bytes.isEmpty() ? 0 : 1,
                               views ? DOORSILL_READ_WHOLE : DOORSILL_NOT_A_PICTURE, &policy,
                               space.data(), space.size(), &verdict)
             : DOORSILL_NO_FILE;
  return status == DOORSILL_OK ? verdict.action : uint32_t(DOORSILL_BLOCK);
}

// At the app's start. Only after a true may it say that pictures are checked: the test card was
// stopped by its pixels. A real client checks the release first, see doorsill_release_check.
inline bool Start(const char *path, const QImage &testCard) {
  doorsill_list *opened = nullptr;
  List() = doorsill_list_load(path, &opened, nullptr) == DOORSILL_OK ? opened : nullptr;
  return List() && !testCard.isNull() && Screen(testCard, {}) != DOORSILL_SEND;
}

// On the loader's thread: whether a file may be sent. A WARN is a no here: there is nobody to ask.
inline bool Lets(const QImage &image, const QString &path, const QByteArray &content) {
  QFile file(path);
  const auto mapped = file.open(QIODevice::ReadOnly) ? file.map(0, file.size()) : nullptr;
  return Screen(image, mapped ? QByteArrayView(mapped, file.size()) : QByteArrayView(content)) ==
         DOORSILL_SEND;
}

}  // namespace Doorsill
