import CTarnFetch
import Foundation
import TarnCore

extension Resource {
  /// How far a download has come.
  public struct Progress: Sendable, Hashable {
    public var bytes: Int
    /// Nil where the server does not say.
    public var total: Int?
  }

  /// Fetches the file unless it is there. What was broken off is taken up where it ended; a connection that breaks is
  /// tried again a few times; a file whose size or digest is wrong is thrown away.
  ///
  /// - Parameters:
  ///   - folder: made if need be.
  ///   - pauses: seconds to wait before each new try.
  ///   - progress: called while bytes come; false stops, and what is there is kept for the next time.
  /// - Returns: where the file is.
  /// - Throws: `DataError` naming the address, what went wrong and what to do.
  @discardableResult
  public func fetch(
    into folder: URL, pauses: [Double] = [1, 2, 4, 8], progress: (Progress) -> Bool = { _ in true }
  ) throws -> URL {
    if let place = found(in: folder) { return place }
    do {
      try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    } catch {
      throw DataError(
        .unwritable, file: folder.path, reason: "cannot be made: \(error.localizedDescription)",
        hint: "set TARN_CACHE to a folder that can be written")
    }
    try withoutActuallyEscaping(progress) { progress in
      let download = try Download(self, into: folder, progress)
      try download.run(pauses)
    }
    return folder.appendingPathComponent(file)
  }

  /// Whether a file has the size and digest that this one should have; nil if so, else what is wrong.
  public func problem(with file: URL) throws -> String? {
    let contents = try FileBytes(mapping: file)
    return contents.withBytes { bytes in
      if let wanted = self.bytes, bytes.count != wanted {
        return "it has \(bytes.count) bytes, not \(wanted)"
      }
      guard let wanted = sha256 else { return nil }
      var digest = SHA256()
      digest.add(bytes)
      let text = digest.text
      return text.hasPrefix(wanted.lowercased())
        ? nil : "its SHA-256 is \(text), which should begin with \(wanted)"
    }
  }
}

/// One file on its way: bytes go to `FILE.part` until all are there and right.
private final class Download {
  private let resource: Resource
  private let place: URL
  private let part: URL
  private let markFile: URL
  private let descriptor: Int32
  private let progress: (Resource.Progress) -> Bool
  private var count = 0
  private var total: Int?
  private var writeError: DataError?

  init(
    _ resource: Resource, into folder: URL, _ progress: @escaping (Resource.Progress) -> Bool
  ) throws {
    (self.resource, self.progress) = (resource, progress)
    place = folder.appendingPathComponent(resource.file)
    part = folder.appendingPathComponent(resource.file + ".part")
    markFile = folder.appendingPathComponent(resource.file + ".part.mark")
    descriptor = open(part.path, O_RDWR | O_CREAT | O_CLOEXEC, mode_t(0o666))
    guard descriptor >= 0 else {
      throw DataError.system(
        .unwritable, file: part.path, doing: "write it", code: errno,
        hint: "set TARN_CACHE to a folder that can be written")
    }
    guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
      close(descriptor)
      throw DataError(
        .unwritable, file: place.path, reason: "another program is fetching it at this moment",
        hint: "wait for that to end")
    }
    count = Int(lseek(descriptor, 0, SEEK_END))
  }

  deinit { close(descriptor) }

  func run(_ pauses: [Double]) throws {
    var pauses = pauses[...]
    while true {
      let before = count
      let result = request()
      if let writeError { throw writeError }
      switch result.outcome {
      case TARN_FETCH_DONE: return try finish()
      case TARN_FETCH_REFUSED where result.status == 416 && before > 0:
        // Nothing follows what is there: either it is all, or of another file.
        if try resource.problem(with: part) == nil, hasChecks { return try finish() }
        try restart()
      case TARN_FETCH_BROKEN where !pauses.isEmpty,
        TARN_FETCH_REFUSED where isBusy(result) && !pauses.isEmpty:
        // New bytes came: the connection is poor, not gone.
        if count == before { sleep(pauses.removeFirst()) } else { sleep(pauses.first ?? 0) }
      default: throw error(result)
      }
    }
  }

  private var hasChecks: Bool { resource.bytes != nil || resource.sha256 != nil }

  private func isBusy(_ result: tarn_fetch_result) -> Bool {
    result.status == 429 || result.status >= 500
  }

  private func sleep(_ seconds: Double) { Thread.sleep(forTimeInterval: seconds) }

  private func request() -> tarn_fetch_result {
    var result = tarn_fetch_result()
    let mark = (try? String(contentsOf: markFile, encoding: .utf8)) ?? ""
    resource.address.withCString { url in
      mark.withCString { mark in
        var request = tarn_fetch_request()
        (request.url, request.offset, request.mark) = (url, Int64(count), mark)
        request.largest = Int64(resource.bytes ?? 1 << 40)
        request.context = Unmanaged.passUnretained(self).toOpaque()
        request.begin = { context, start, total, mark in
          Download.of(context)?.begin(at: Int(start), total: Int(total), mark: mark) ?? 1
        }
        request.take = { context, bytes, count in
          Download.of(context)?.take(UnsafeRawBufferPointer(start: bytes, count: count)) ?? 1
        }
        request.tick = { context in Download.of(context)?.tick() ?? 1 }
        tarn_fetch_perform(&request, &result)
      }
    }
    return result
  }

  private static func of(_ context: UnsafeMutableRawPointer?) -> Download? {
    context.map { Unmanaged<Download>.fromOpaque($0).takeUnretainedValue() }
  }

  private func begin(at start: Int, total: Int, mark: UnsafePointer<CChar>?) -> Int32 {
    self.total = total >= 0 ? total : resource.bytes
    // The server may send from the start although only the rest was asked for.
    guard start <= count, cut(to: start) else { return 1 }
    let text = mark.map { String(cString: $0) } ?? ""
    try? text.write(to: markFile, atomically: true, encoding: .utf8)
    return 0
  }

  private func cut(to length: Int) -> Bool {
    guard ftruncate(descriptor, off_t(length)) == 0,
      lseek(descriptor, off_t(length), SEEK_SET) == off_t(length)
    else {
      writeError = .system(.unwritable, file: part.path, doing: "shorten it", code: errno)
      return false
    }
    count = length
    return true
  }

  private func take(_ bytes: UnsafeRawBufferPointer) -> Int32 {
    var rest = bytes
    while let base = rest.baseAddress, !rest.isEmpty {
      let wrote = writeSome(descriptor, base, rest.count)
      if wrote < 0 {
        if errno == EINTR { continue }
        let code = errno
        writeError = .system(
          .unwritable, file: part.path, doing: "write it", code: code,
          hint: "make room on the disk and try again: what has come is kept")
        return 1
      }
      count += wrote
      rest = UnsafeRawBufferPointer(rebasing: rest[wrote...])
    }
    return tick()
  }

  private func tick() -> Int32 {
    progress(Resource.Progress(bytes: count, total: total)) ? 0 : 1
  }

  private func restart() throws {
    guard cut(to: 0) else { throw writeError ?? cannotRestart }
    try? FileManager.default.removeItem(at: markFile)
  }

  private var cannotRestart: DataError {
    DataError(.unwritable, file: part.path, reason: "cannot be begun anew", hint: "remove it")
  }

  private func finish() throws {
    if let problem = try resource.problem(with: part) {
      try? FileManager.default.removeItem(at: part)
      try? FileManager.default.removeItem(at: markFile)
      throw DataError(
        .invalid, file: resource.address, reason: "what came is not what was published: \(problem)",
        hint: "it was thrown away; try again, and if it stays so, do not trust that address")
    }
    fsync(descriptor)
    guard rename(part.path, place.path) == 0 else {
      throw DataError.system(.unwritable, file: place.path, doing: "put it in place", code: errno)
    }
    try? FileManager.default.removeItem(at: markFile)
  }

  private func error(_ result: tarn_fetch_result) -> DataError {
    let reason = withUnsafeBytes(of: result.reason) { bytes in
      String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
    }
    let kept = count > 0 ? "; the \(count) bytes that came are kept for the next try" : ""
    switch result.outcome {
    case TARN_FETCH_NO_LIBRARY:
      return DataError(
        .unreadable, file: resource.address, reason: reason,
        hint: "apt-get install libcurl4, or fetch it by hand and put it at \(place.path)")
    case TARN_FETCH_STOPPED:
      return DataError(
        .unreadable, file: resource.address, reason: "the download was stopped" + kept,
        hint: "the same command goes on from there")
    case TARN_FETCH_REFUSED:
      let isGone = result.status == 404 || result.status == 410
      return DataError(
        isGone ? .missing : .unreadable, file: resource.address,
        reason: "the server refuses: HTTP status \(result.status)",
        hint: isGone
          ? "the file has moved; fetch it by hand and put it at \(place.path)"
          : "try again later, or fetch it by hand and put it at \(place.path)")
    default:
      return DataError(
        .unreadable, file: resource.address, reason: "cannot be fetched: \(reason)" + kept,
        hint: "look at the network connection; or fetch it by hand and put it at \(place.path)")
    }
  }
}
