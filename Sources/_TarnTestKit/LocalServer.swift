import Foundation

/// A small HTTP server on this machine that misbehaves as told, for tests of downloads.
package final class LocalServer: @unchecked Sendable {
  /// What the server does with one request.
  package struct Behaviour: Sendable {
    package var status = 200
    /// The connection is cut after so many bytes of the answer's body.
    package var cutAfter: Int?
    /// Whether `Range` is answered with the rest only.
    package var knowsRanges = true
    package var mark = "\"1\""
    package var redirection: String?

    package init(
      status: Int = 200, cutAfter: Int? = nil, knowsRanges: Bool = true, mark: String = "\"1\"",
      redirection: String? = nil
    ) {
      (self.status, self.cutAfter, self.knowsRanges) = (status, cutAfter, knowsRanges)
      (self.mark, self.redirection) = (mark, redirection)
    }
  }

  private let descriptor: Int32
  private let contents: [UInt8]
  private let lock = NSLock()
  private var behaviours: [Behaviour]
  private var seen: [String] = []
  /// What it listens at.
  package let port: Int

  /// Serves `contents` at every path. Requests behave as listed, those after the list as its last.
  package init(_ contents: [UInt8], _ behaviours: [Behaviour] = [Behaviour()]) throws {
    (self.contents, self.behaviours) = (contents, behaviours)
    #if os(Linux)
      let stream = Int32(SOCK_STREAM.rawValue)
    #else
      let stream = SOCK_STREAM
    #endif
    let listener = socket(AF_INET, stream, 0)
    descriptor = listener
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let isBound = withUnsafeMutablePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        bind(listener, $0, length) == 0 && listen(listener, 8) == 0
          && getsockname(listener, $0, &length) == 0
      }
    }
    port = Int(UInt16(bigEndian: address.sin_port))
    guard isBound else { throw POSIXError(.EADDRNOTAVAIL) }
    let thread = Thread { [self] in serve() }
    thread.start()
  }

  /// The address of a file.
  package func url(_ file: String) -> String { "http://127.0.0.1:\(port)/\(file)" }

  /// The `Range` of each request so far, "" for none.
  package var ranges: [String] {
    lock.withLock { seen }
  }

  /// Ends it.
  package func stop() { shutdown(descriptor, Int32(SHUT_RDWR)) }

  private func serve() {
    // Closed here and not where it is stopped: its number may be another's by then.
    defer { close(descriptor) }
    while true {
      let connection = accept(descriptor, nil, nil)
      guard connection >= 0 else { return }
      #if os(macOS)
        var yes: Int32 = 1
        setsockopt(connection, SOL_SOCKET, SO_NOSIGPIPE, &yes, socklen_t(MemoryLayout<Int32>.size))
      #endif
      answer(connection)
      close(connection)
    }
  }

  private func answer(_ connection: Int32) {
    let header = readHeader(connection)
    let range =
      header.split(separator: "\r\n").first { $0.lowercased().hasPrefix("range:") }
      .map { $0.dropFirst(6).trimmingCharacters(in: .whitespaces) } ?? ""
    let condition = header.split(separator: "\r\n")
      .first { $0.lowercased().hasPrefix("if-range:") }
      .map { $0.dropFirst(9).trimmingCharacters(in: .whitespaces) }
    let behaviour: Behaviour = lock.withLock {
      seen.append(range)
      return behaviours.count > 1 ? behaviours.removeFirst() : behaviours[0]
    }
    if let place = behaviour.redirection {
      return send(
        connection, "HTTP/1.1 302 Found\r\nLocation: \(place)\r\nContent-Length: 0\r\n\r\n")
    }
    guard behaviour.status == 200 else {
      return send(connection, "HTTP/1.1 \(behaviour.status) No\r\nContent-Length: 0\r\n\r\n")
    }
    let digits = range.dropFirst("bytes=".count).prefix { $0.isNumber }
    let isSame = condition == nil || condition == behaviour.mark
    let start = behaviour.knowsRanges && isSame ? Int(digits) ?? 0 : 0
    guard start < contents.count || start == 0 else {
      return send(connection, "HTTP/1.1 416 No\r\nContent-Length: 0\r\n\r\n")
    }
    let place = "Content-Range: bytes \(start)-\(contents.count - 1)/\(contents.count)\r\n"
    send(
      connection,
      "HTTP/1.1 \(start > 0 ? "206 Part" : "200 OK")\r\nETag: \(behaviour.mark)\r\n"
        + (start > 0 ? place : "") + "Content-Length: \(contents.count - start)\r\n\r\n")
    let end = min(contents.count, behaviour.cutAfter.map { start + $0 } ?? contents.count)
    send(connection, Array(contents[start..<end]))
  }

  private func readHeader(_ connection: Int32) -> String {
    var bytes: [UInt8] = []
    var piece = [UInt8](repeating: 0, count: 4096)
    while !bytes.suffix(4).elementsEqual("\r\n\r\n".utf8) {
      let got = recv(connection, &piece, piece.count, 0)
      guard got > 0 else { break }
      bytes += piece[..<got]
    }
    return String(decoding: bytes, as: UTF8.self)
  }

  private func send(_ connection: Int32, _ text: String) { send(connection, Array(text.utf8)) }

  private func send(_ connection: Int32, _ bytes: [UInt8]) {
    #if os(Linux)
      let flags = Int32(MSG_NOSIGNAL)
    #else
      let flags: Int32 = 0
    #endif
    bytes.withUnsafeBytes { all in
      var rest = all
      while let base = rest.baseAddress, !rest.isEmpty {
        #if os(Linux)
          let sent = Glibc.send(connection, base, rest.count, flags)
        #else
          let sent = Darwin.send(connection, base, rest.count, flags)
        #endif
        guard sent > 0 else { return }
        rest = UnsafeRawBufferPointer(rebasing: rest[sent...])
      }
    }
  }
}
