import Foundation
import Testing

import TarnTrain

/// Runs `body` with an empty folder that is removed afterwards.
func withFolder(_ body: (String) throws -> Void) throws {
  let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
  try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  defer { try? FileManager.default.removeItem(at: folder) }
  try body(folder.path)
}

func text(_ path: String) throws -> String { try String(contentsOfFile: path, encoding: .utf8) }

func extend(_ path: String, with text: String) throws {
  let handle = try #require(FileHandle(forWritingAtPath: path))
  try handle.seekToEnd()
  try handle.write(contentsOf: Data(text.utf8))
  try handle.close()
}

@Suite struct JSONLinesLogTests {
  @Test func recordsKeepOrderAndPrecision() throws {
    try withFolder { folder in
      let log = try JSONLinesLog(path: folder + "/log.jsonl")
      try log.append([("step", 1), ("loss", .real(0.1 + 0.2)), ("name", "a\"\\\n\u{1}日")])
      try log.append([("z", .real(.nan)), ("a", .real(-.infinity)), ("ok", true), ("none", nil)])
      try log.append([
        ("tiny", .real(.leastNonzeroMagnitude)), ("great", .real(.greatestFiniteMagnitude)),
      ])
      let expected = #"""
        {"step":1,"loss":0.30000000000000004,"name":"a\"\\\n\u0001日"}
        {"z":null,"a":null,"ok":true,"none":null}
        {"tiny":5e-324,"great":1.7976931348623157e+308}

        """#
      #expect(try text(log.path) == expected)
      for line in try text(log.path).split(separator: "\n") {
        #expect(throws: Never.self) { try JSONSerialization.jsonObject(with: Data(line.utf8)) }
      }
    }
  }

  @Test func aResumedRunEndsWithTheSameLog() throws {
    try withFolder { folder in
      func record(_ log: JSONLinesLog, _ step: Int) throws {
        try log.append([("step", .integer(step)), ("loss", .real(1 / Double(step)))])
      }
      let whole = try JSONLinesLog(path: folder + "/whole")
      for step in 1...9 { try record(whole, step) }
      let path = folder + "/killed"
      let killed = try JSONLinesLog(path: path)
      for step in 1...7 { try record(killed, step) }
      try extend(path, with: "{\"step\":8,\"lo")
      let resumed = try JSONLinesLog(path: path, resumingAfter: 4)
      for step in 5...9 { try record(resumed, step) }
      #expect(try text(path) == text(whole.path))
    }
  }

  @Test func withoutAStepOnlyTheTornRecordGoes() throws {
    try withFolder { folder in
      let path = folder + "/log"
      let log = try JSONLinesLog(path: path)
      try log.append([("note", "no step")])
      try log.append([("step", 12)])
      try extend(path, with: "{\"step\":")
      _ = try JSONLinesLog(path: path)
      #expect(try text(path) == "{\"note\":\"no step\"}\n{\"step\":12}\n")
      _ = try JSONLinesLog(path: path, resumingAfter: 0)
      #expect(try text(path) == "{\"note\":\"no step\"}\n")
    }
  }

  @Test func aBrokenLineIsToldWithItsPlace() throws {
    try withFolder { folder in
      let path = folder + "/log"
      try "{\"step\":1}\nnonsense\n".write(toFile: path, atomically: true, encoding: .utf8)
      let error = #expect(throws: LogError.self) { try JSONLinesLog(path: path) }
      #expect(error?.offset == 11)
      #expect(error?.description.contains("at byte 11") == true)
      #expect(throws: LogError.self) { try JSONLinesLog(path: folder + "/none/log") }
    }
  }

  @Test func longLogsAreReadInPieces() throws {
    try withFolder { folder in
      let path = folder + "/log"
      let filler = String(repeating: "x", count: 1000)
      let lines = (1...4000).map { "{\"step\":\($0),\"text\":\"\(filler)\"}\n" }
      try lines.joined().write(toFile: path, atomically: true, encoding: .utf8)
      _ = try JSONLinesLog(path: path, resumingAfter: 3000)
      #expect(try text(path) == lines.prefix(3000).joined())
    }
  }
}

@Suite struct CSVLogTests {
  @Test func recordsHaveEveryColumn() throws {
    try withFolder { folder in
      let log = try CSVLog(path: folder + "/log.csv", columns: ["step", "loss", "a,b"])
      try log.append([("loss", .real(.nan)), ("step", 1)])
      try log.append([("step", 2), ("a,b", "say \"hi\",\nyou"), ("loss", .real(-.infinity))])
      #expect(
        try text(log.path)
          == "step,loss,\"a,b\"\n1,nan,\n2,-inf,\"say \"\"hi\"\", you\"\n")
      #expect(throws: LogError.self) { try log.append([("accuracy", 1)]) }
    }
  }

  @Test func itIsCutOnResuming() throws {
    try withFolder { folder in
      let path = folder + "/log.csv"
      let columns = ["text", "step"]
      let log = try CSVLog(path: path, columns: columns)
      for step in 1...5 { try log.append([("text", "a, \"b\""), ("step", .integer(step))]) }
      try extend(path, with: "\"torn")
      let resumed = try CSVLog(path: path, columns: columns, resumingAfter: 2)
      try resumed.append([("step", 3)])
      #expect(try text(path) == "text,step\n\"a, \"\"b\"\"\",1\n\"a, \"\"b\"\"\",2\n,3\n")
      #expect(throws: LogError.self) { try CSVLog(path: path, columns: ["step"]) }
    }
  }

  @Test func aTornHeaderIsWrittenAgain() throws {
    try withFolder { folder in
      let path = folder + "/log.csv"
      try "st".write(toFile: path, atomically: true, encoding: .utf8)
      _ = try CSVLog(path: path, columns: ["step"], resumingAfter: 3)
      #expect(try text(path) == "step\n")
    }
  }

  @Test func cellsAreRead() {
    #expect(CSVLog.cells("a,\"b,\"\"c\",,d") == ["a", "b,\"c", "", "d"])
    #expect(CSVLog.cells("") == [""])
  }
}
