import Foundation
import TarnCore
import Testing

import TarnData

@Suite struct CSVTests {
  static let pets = """
    name,species,age,weight
    Rex,dog,3,20.5
    "Miss ""Kit"", II",cat,,4
    Tom,cat,7,5e0
    Fido,dog,NA,-1.5

    """

  @Test func typedColumns() throws {
    let table = try CSV().read(text: Self.pets)
    #expect(table.columnNames == ["name", "species", "age", "weight"])
    #expect(table.columns.map(\.kind) == [.text, .category, .number, .number])
    #expect(table.rowCount == 4)
    #expect(try table.column("name").text(1) == "Miss \"Kit\", II")
    #expect(
      try table.column("species").values
        == .categories(levels: ["cat", "dog"], codes: [1, 0, 0, 1]))
    #expect(try table.column("weight").values == .numbers([20.5, 4, 5, -1.5]))
    #expect(try table.column("age").missingCount == 2)
    #expect(table.droppingMissing().rowCount == 2)
    let (labels, names) = try table.classes("species")
    #expect(labels.array(of: Int.self) == [1, 0, 0, 1] && names == ["cat", "dog"])
    #expect(try table.target("weight").dtype == .float32)
  }

  @Test(arguments: ["\n", "\r\n", "\r"])
  func lineEnds(end: String) throws {
    let table = try CSV().read(text: "a,b\(end)1,\"x\(end)y\"\(end)\(end)2,z")
    #expect(table.rowCount == 2)
    #expect(try table.column("b").text(0) == "x\(end)y")
  }

  @Test func delimitersAndHeaders() throws {
    #expect(try CSV().read(text: "a;b\n1,5;2\n").columnNames == ["a", "b"])
    #expect(try CSV().read(text: "a\tb\n1\t2\n").columnNames == ["a", "b"])
    let bare = try CSV().read(text: "1,2\n3,4\n")
    #expect(bare.columnNames == ["column1", "column2"] && bare.rowCount == 2)
    #expect(try CSV(header: .absent).read(text: "a,b\n").rowCount == 1)
    #expect(try CSV(header: .present).read(text: "1,2\n3,4\n").columnNames == ["1", "2"])
    #expect(try CSV(delimiter: "|").read(text: "a,b|c\n1|2\n").columnNames == ["a,b", "c"])
    #expect(try CSV().read(text: "\u{feff}a,b\n1,2\n").columnNames == ["a", "b"])
    #expect(try CSV().read(text: "a,\"b,;;;\"\n1,2\n").columnNames == ["a", "b,;;;"])
    #expect(try CSV().read(text: "x\n1\n").columnNames == ["x"])
  }

  @Test func givenTypes() throws {
    let table = try CSV(types: ["age": .category, "species": .text]).read(text: Self.pets)
    #expect(table.columns.map(\.kind) == [.text, .text, .category, .number])
    let quoted = try CSV(types: ["a": .text]).read(text: "a,b\n\"\",1\n,2\n")
    #expect(try quoted.column("a").values == .texts(["", nil]))
    // Not everything that Swift calls a number is one here.
    #expect(try CSV().read(text: "a\n0x10\n0x11\n").columns[0].kind == .text)
  }

  @Test func errorsNameTheirPlace() throws {
    expectDataError(.invalid, "pets.csv, line 3, column 5", "3 fields", "2 columns") {
      _ = try CSV().read(text: "a,b\n1,2\n1,2,\n", name: "pets.csv")
    }
    expectDataError(.invalid, "line 2, column 3", "never closed") {
      _ = try CSV().read(text: "a,b\n1,\"x\ny\n")
    }
    expectDataError(.invalid, "line 2, column 2", "never closed") {
      _ = try CSV().read(text: "a,b\n,\"")
    }
    expectDataError(.invalid, "line 2, column 4", "follows the closing quote") {
      _ = try CSV().read(text: "a,b\n\"1\"2,3\n")
    }
    expectDataError(.invalid, "line 2, column 2", "a quote inside") {
      _ = try CSV().read(text: "a,b\n1\"2,3\n")
    }
    expectDataError(.invalid, "line 3, column 3", "'x' in the column 'b' is not a number") {
      _ = try CSV(types: ["b": .number]).read(text: "a,b\n1,2\n3,x\n")
    }
    expectDataError(.invalid, "two columns are named 'a'") {
      _ = try CSV(header: .present).read(text: "a,a\n1,2\n")
    }
    expectDataError(.invalid, "no column 'speces'", "did you mean 'species'") {
      _ = try CSV(types: ["speces": .text]).read(text: Self.pets)
    }
    expectDataError(.invalid, "no records") { _ = try CSV().read(text: "\n\n") }
    expectDataError(.invalid, "line 2, column 1", "UTF-8") {
      _ = try CSV().read(FileBytes(Array("a\n".utf8) + [0xff, 0x0a], name: "latin"))
    }
    expectDataError(.unsupported, "cannot separate") { _ = try CSV(delimiter: "→").read(text: "a") }
  }

  @Test func roundTrips() throws {
    let table = try CSV().read(text: Self.pets)
    let again = try CSV().read(text: table.csv)
    #expect(again.csv == table.csv)
    #expect(again.columns.map(\.kind) == table.columns.map(\.kind))
    let texts = Column(name: "t,1", values: .texts(["a\"b", "c\nd", nil, "", " e "]))
    let back = try CSV(types: ["t,1": .text]).read(
      text: Table(columns: [texts, Column(name: "n", values: .numbers([1, 2, 3, 4, 5]))]).csv)
    #expect(back.columns[0] == texts)
  }

  @Test func damage() throws {
    let refused = try TarnDataTests.damage(Array(Self.pets.utf8)) { _ = try CSV().read($0) }
    #expect(refused > 300)
  }

  @Test(.enabled(if: realData != nil, realDataMissing)) func realTable() throws {
    let folder = try #require(realData)
    let table = try CSV.read(contentsOf: folder.appendingPathComponent("pets/labels.csv"))
    #expect(table.rowCount == 806)
    let (labels, names) = try table.classes("species")
    #expect(names == ["cat", "dog"])
    #expect(labels.array(of: Int.self).count { $0 == 0 } == 436)
  }
}

@Suite struct FeatureEncoderTests {
  let train = Table(columns: [
    Column(name: "x", values: .numbers([1, 3, 5, 7])),
    Column(name: "same", values: .numbers([2, 2, 2, 2])),
    Column(name: "colour", categories: ["red", "blue", "red", nil]),
    Column(name: "note", values: .texts(["a", "b", "c", "d"])),
  ])

  @Test func standardisesAndSpreads() throws {
    let (x, encoder) = try train.features(missing: .mean)
    #expect(encoder.names == ["x", "same", "colour=blue", "colour=red"])
    #expect(x.shape == [4, 4])
    let root5 = Float(5).squareRoot()
    let expected: [Float] = [
      -3 / root5, 0, 0, 1, -1 / root5, 0, 1, 0, 1 / root5, 0, 0, 1, 3 / root5, 0, 0, 0,
    ]
    for (value, wanted) in zip(x.array(of: Float.self), expected) {
      #expect(abs(value - wanted) < 1e-6)
    }
  }

  @Test func isStoredAndUsedOnOtherTables() throws {
    let encoder = try FeatureEncoder(
      fitting: train, except: ["colour"], isStandardised: true, missing: .mean)
    let stored = try JSONDecoder().decode(
      FeatureEncoder.self, from: JSONEncoder().encode(encoder))
    #expect(stored == encoder)
    let test = Table(columns: [
      Column(name: "same", values: .numbers([3])), Column(name: "x", values: .numbers([.nan])),
    ])
    #expect(try stored.encode(test).array(of: Float.self) == [0, 1])
  }

  @Test func mistakes() throws {
    expectDataError(.invalid, "row 4", "'colour'", "missing") {
      _ = try FeatureEncoder(fitting: train).encode(train)
    }
    let encoder = try FeatureEncoder(fitting: train, columns: ["colour"], missing: .mean)
    let other = Table(columns: [Column(name: "colour", categories: ["rad"])])
    expectDataError(.invalid, "'rad' did not occur", "did you mean 'red'") {
      _ = try encoder.encode(other)
    }
    expectDataError(.invalid, "no column 'colour'") {
      _ = try encoder.encode(train.dropping(["colour"]))
    }
    expectDataError(.unsupported, "'note' is text") {
      _ = try FeatureEncoder(fitting: train, columns: ["note"])
    }
    expectDataError(.invalid, "row 4", "to be predicted") { _ = try train.target("colour") }
  }
}
