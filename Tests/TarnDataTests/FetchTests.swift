import Foundation
import Tarn
import TarnData
import Testing
import _TarnTestKit

/// Downloads from a server on this machine that breaks off, lies and refuses.
@Suite struct FetchTests {
  static let contents = (0..<200_000).map { UInt8(truncatingIfNeeded: $0 &* 31 ^ $0 >> 7) }

  static let digest: String = {
    var digest = SHA256()
    contents.withUnsafeBytes { digest.add($0) }
    return digest.text
  }()

  private func fetch(
    _ behaviours: [LocalServer.Behaviour], sha256: String? = digest, tries: Int = 3,
    before: (URL) throws -> Void = { _ in }
  ) throws -> (result: Result<URL, any Error>, ranges: [String], folder: URL) {
    let server = try LocalServer(Self.contents, behaviours)
    defer { server.stop() }
    let folder = FileManager.default.temporaryDirectory
      .appendingPathComponent("tarn-fetch-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    try before(folder)
    let resource = Resource(
      file: "file.bin", url: server.url("file.bin"), bytes: Self.contents.count, sha256: sha256)
    let result = Result {
      try resource.fetch(into: folder, pauses: [Double](repeating: 0, count: tries))
    }
    return (result, server.ranges, folder)
  }

  private func check(_ result: Result<URL, any Error>) throws {
    let url = try result.get()
    #expect(try Data(contentsOf: url) == Data(Self.contents))
    let left = try FileManager.default.contentsOfDirectory(
      atPath: url.deletingLastPathComponent().path)
    #expect(left == ["file.bin"])
    try FileManager.default.removeItem(at: url.deletingLastPathComponent())
  }

  @Test func `known digests`() {
    let answers = [
      ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
      ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
      (
        "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
        "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
      ),
      (
        String(repeating: "a", count: 1_000_000),
        "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"
      ),
    ]
    for (text, answer) in answers {
      for step in [7, 64, 1_000_000] {
        var digest = SHA256()
        let bytes = Array(text.utf8)
        for start in stride(from: 0, to: bytes.count, by: step) {
          bytes[start..<min(start + step, bytes.count)].withUnsafeBytes { digest.add($0) }
        }
        #expect(digest.text == answer)
      }
    }
  }

  @Test func `a file comes whole, through a redirection, and is not fetched twice`() throws {
    let server = try LocalServer(Self.contents)
    defer { server.stop() }
    let (result, _, folder) = try fetch([.init(redirection: server.url("elsewhere"))])
    let again = Resource(file: "file.bin", url: "http://127.0.0.1:1/nobody")
    #expect(try again.fetch(into: folder) == result.get())
    try check(result)
  }

  @Test func `a cut connection is taken up where it broke`() throws {
    let (result, ranges, _) = try fetch([.init(cutAfter: 50_000), .init(cutAfter: 30_000), .init()])
    #expect(ranges == ["", "bytes=50000-", "bytes=80000-"])
    try check(result)
  }

  @Test func `a server without ranges begins anew`() throws {
    let (result, ranges, _) = try fetch([.init(cutAfter: 50_000), .init(knowsRanges: false)])
    #expect(ranges.count == 2)
    try check(result)
  }

  @Test func `a file that changed meanwhile begins anew`() throws {
    let (result, _, _) = try fetch([.init(cutAfter: 50_000, mark: "\"1\""), .init(mark: "\"2\"")])
    try check(result)
  }

  @Test func `a busy server is asked again`() throws {
    let (result, ranges, _) = try fetch([.init(status: 503), .init(status: 429), .init()])
    #expect(ranges.count == 3)
    try check(result)
  }

  @Test func `what came is kept when tries run out, and used by the next`() throws {
    let (result, _, folder) = try fetch([.init(cutAfter: 60_000), .init(cutAfter: 0)], tries: 2)
    let error = #expect(throws: DataError.self) { try result.get() }
    #expect(error?.exitCode == 1)
    #expect(error?.description.contains("the 60000 bytes that came are kept") == true)
    let server = try LocalServer(Self.contents)
    defer { server.stop() }
    let resource = Resource(file: "file.bin", url: server.url("file.bin"), sha256: Self.digest)
    let url = try resource.fetch(into: folder)
    #expect(server.ranges == ["bytes=60000-"])
    try check(.success(url))
  }

  @Test func `a wrong digest throws the file away`() throws {
    let (result, _, folder) = try fetch([.init()], sha256: "00112233")
    let error = #expect(throws: DataError.self) { try result.get() }
    #expect(error?.exitCode == 65)
    #expect(error?.description.contains("should begin with 00112233") == true)
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).isEmpty)
  }

  @Test func `a digest may be given by its first digits`() throws {
    try check(fetch([.init()], sha256: String(Self.digest.prefix(8))).result)
  }

  @Test func `a part that is whole already is only checked`() throws {
    let (result, ranges, _) = try fetch([.init()]) { folder in
      try Data(Self.contents).write(to: folder.appendingPathComponent("file.bin.part"))
    }
    #expect(ranges == ["bytes=200000-"])
    try check(result)
  }

  @Test func `a part of another file is thrown away`() throws {
    let (result, _, _) = try fetch([.init()]) { folder in
      try Data(count: 200_000).write(to: folder.appendingPathComponent("file.bin.part"))
    }
    try check(result)
  }

  @Test func `refusals name the address and what to do`() throws {
    let missing = #expect(throws: DataError.self) { try fetch([.init(status: 404)]).result.get() }
    #expect(missing?.exitCode == 66)
    #expect(missing?.description.contains("HTTP status 404") == true)
    #expect(missing?.description.contains("fetch it by hand") == true)
    let nobody = Resource(file: "x", url: "http://127.0.0.1:1/x")
    let error = #expect(throws: DataError.self) {
      try nobody.fetch(into: FileManager.default.temporaryDirectory, pauses: [])
    }
    #expect(error?.description.contains("http://127.0.0.1:1/x: cannot be fetched") == true)
    for url in ["file:///etc/passwd", "ftp://127.0.0.1/x"] {
      #expect(throws: DataError.self) {
        try Resource(file: "x", url: url).fetch(
          into: FileManager.default.temporaryDirectory, pauses: [])
      }
    }
  }

  @Test func `a larger file than was published is refused`() throws {
    let server = try LocalServer(Self.contents)
    defer { server.stop() }
    let resource = Resource(file: "y", url: server.url("y"), bytes: 1000)
    let error = #expect(throws: DataError.self) {
      try resource.fetch(into: FileManager.default.temporaryDirectory, pauses: [])
    }
    #expect(error?.description.contains("more than 1000 bytes") == true)
  }

  @Test func `progress can stop it`() throws {
    let server = try LocalServer(Self.contents)
    defer { server.stop() }
    let folder = FileManager.default.temporaryDirectory
      .appendingPathComponent("tarn-fetch-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: folder) }
    let resource = Resource(file: "z", url: server.url("z"), bytes: Self.contents.count)
    let error = #expect(throws: DataError.self) {
      try resource.fetch(into: folder) { $0.bytes < 1000 }
    }
    #expect(error?.description.contains("the download was stopped") == true)
    #expect(try Data(contentsOf: resource.fetch(into: folder)) == Data(Self.contents))
  }
}
