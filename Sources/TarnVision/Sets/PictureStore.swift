import Foundation
import TarnCore
import TarnData

/// Where the pictures of a set lie.
enum PictureStore: Sendable {
  /// One in each file.
  case files([URL], ImageReading, ByteCache?)
  /// Of bytes, [C, H, W] each, in the files at these places.
  case planes([(file: FileBytes, place: Int)], shape: [Int])

  var count: Int {
    switch self {
    case .files(let files, _, _): files.count
    case .planes(let places, _): places.count
    }
  }

  /// What errors call the picture.
  func url(_ index: Int) -> URL {
    switch self {
    case .files(let files, _, _): files[index]
    case .planes(let places, _): URL(fileURLWithPath: places[index].file.name)
    }
  }

  func bytes(_ index: Int) throws -> FileBytes? {
    guard case .files(let files, _, let cache) = self else { return nil }
    return try cache?.bytes(of: files[index]) ?? FileBytes(mapping: files[index])
  }

  /// The picture scaled and cropped.
  func cropped(_ index: Int, by rule: Preprocessing) throws -> Image {
    if case .files(_, let reading, _) = self, let file = try bytes(index) {
      return try rule.cropped(file, reading)
    }
    return try rule.cropped(part(index) { rule.plan($0).needed })
  }

  /// A part of the picture that holds what `choose` wants.
  func part(
    _ index: Int, choosing choose: ((width: Int, height: Int)) -> PixelRectangle?
  ) throws -> ImagePart {
    switch self {
    case .files(let files, let reading, let cache):
      let file = try cache?.bytes(of: files[index]) ?? FileBytes(mapping: files[index])
      return try ImagePart(file, reading, choosing: choose)
    case .planes(let places, let shape):
      let (channels, height, width) = (shape[0], shape[1], shape[2])
      guard choose((width, height)) != nil else { return .nothing }
      let (file, place) = places[index]
      let area = width * height
      return file.withBytes(place..<(place + channels * area)) { planes in
        ImagePart(
          Image.filling(width: width, height: height, channels: channels) { room in
            for channel in 0..<channels {
              for i in 0..<area { room[i * channels + channel] = planes[channel * area + i] }
            }
          })
      }
    }
  }

  func keeping(_ indices: [Int]) -> PictureStore {
    switch self {
    case .files(let files, let reading, let cache):
      .files(indices.map { files[$0] }, reading, cache)
    case .planes(let places, let shape): .planes(indices.map { places[$0] }, shape: shape)
    }
  }
}

/// The contents of files, kept in memory up to a bound: for folders on slow disks.
package final class ByteCache: Sendable {
  private struct State {
    var files: [URL: FileBytes] = [:]
    var count = 0
  }

  /// The most bytes kept.
  package let limit: Int
  private let state = Lock(State())

  package init(limit: Int) { self.limit = max(0, limit) }

  /// Bytes kept now.
  package var count: Int { state.withLock { $0.count } }

  /// The bytes of a file, read once if there is room to keep them.
  package func bytes(of url: URL) throws -> FileBytes {
    if let known = state.withLock({ $0.files[url] }) { return known }
    let mapped = try FileBytes(mapping: url)
    let size = mapped.count
    let isKept = state.withLock { state in
      guard size <= limit - state.count else { return false }
      state.count += size
      return true
    }
    guard isKept else { return mapped }
    let copy = mapped.withBytes { FileBytes($0, name: url.path) }
    let isNew = state.withLock { state in
      defer { state.files[url] = copy }
      return state.files[url] == nil
    }
    // Another thread was faster.
    if !isNew { state.withLock { $0.count -= size } }
    return copy
  }
}
