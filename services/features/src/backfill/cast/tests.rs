//! Every way in which a cast may lose something, and what passes.

use arrow::array::{
    BinaryArray, Date32Array, Decimal128Array, DictionaryArray, Float32Array, Float64Array, Int32Array,
    Int64Array, LargeStringArray, StringArray, StringViewArray, TimestampMicrosecondArray,
    TimestampMillisecondArray, TimestampNanosecondArray, TimestampSecondArray, UInt64Array,
};
use arrow::datatypes::{Field, Int32Type, TimeUnit};

use super::*;

fn utc(unit: TimeUnit) -> DataType {
    DataType::Timestamp(unit, Some("+00:00".into()))
}

const MS: TimeUnit = TimeUnit::Millisecond;

/// `row <row>: <value> <what> <type>`, as errors say it.
fn refusal(column: &ArrayRef, to: &DataType) -> String {
    assert!(castable(column.data_type(), to), "{} as {to}", column.data_type());
    match cast_exactly(column, to) {
        Err(Fault::Value(row, what)) => format!("row {row}: {} {what} {to}", shown(column, row)),
        other => panic!("{} as {to}: {other:?}", column.data_type()),
    }
}

fn decimals(values: Vec<i128>, scale: i8) -> ArrayRef {
    Arc::new(Decimal128Array::from(values).with_precision_and_scale(38, scale).unwrap())
}

/// Values that a topic's type cannot hold, and how they are refused.
type Refusals<'a> = Vec<(ArrayRef, DataType, &'a str)>;

fn all_refused(cases: Refusals<'_>) {
    for (column, to, expected) in cases {
        assert_eq!(refusal(&column, &to), expected);
    }
}

#[test]
fn a_number_that_would_lose_something_is_refused_with_its_row() {
    let text = |values: &[&str]| -> ArrayRef { Arc::new(StringArray::from(values.to_vec())) };
    let double = |values: &[f64]| -> ArrayRef { Arc::new(Float64Array::from(values.to_vec())) };
    let long = |values: &[i64]| -> ArrayRef { Arc::new(Int64Array::from(values.to_vec())) };
    let cases: Refusals<'_> = vec![
        (double(&[1.0, 1.5]), DataType::Int64, "row 1: 1.5 cannot be read without loss as Int64"),
        (double(&[f64::NAN]), DataType::Int64, "row 0: NaN cannot be read without loss as Int64"),
        (double(&[f64::INFINITY]), DataType::Int32, "row 0: inf cannot be read without loss as Int32"),
        (double(&[3e9]), DataType::Int32, "row 0: 3000000000.0 cannot be read without loss as Int32"),
        (double(&[0.5, 0.1]), DataType::Float32, "row 1: 0.1 cannot be read without loss as Float32"),
        (double(&[1e300]), DataType::Float32, "row 0: 1e300 cannot be read without loss as Float32"),
        (double(&[0.0, 0.5]), DataType::Boolean, "row 1: 0.5 cannot be read without loss as Boolean"),
        (
            long(&[1 << 53, (1 << 53) + 1]),
            DataType::Float64,
            "row 1: 9007199254740993 cannot be read without loss as Float64",
        ),
        (
            long(&[i64::MAX]),
            DataType::Float64,
            "row 0: 9223372036854775807 cannot be read without loss as Float64",
        ),
        (long(&[(1 << 24) + 1]), DataType::Float32, "row 0: 16777217 cannot be read without loss as Float32"),
        (long(&[1 << 31]), DataType::Int32, "row 0: 2147483648 cannot be read without loss as Int32"),
        (long(&[0, 1, 2]), DataType::Boolean, "row 2: 2 cannot be read without loss as Boolean"),
        (
            Arc::new(UInt64Array::from(vec![u64::MAX])),
            DataType::Int64,
            "row 0: 18446744073709551615 cannot be read without loss as Int64",
        ),
        (decimals(vec![200, 250], 2), DataType::Int64, "row 1: 2.50 cannot be read without loss as Int64"),
        (
            decimals(vec![123_456_789_012_345_678_901], 18),
            DataType::Float64,
            "row 0: 123.456789012345678901 cannot be read without loss as Float64",
        ),
        (text(&["1", "1.5"]), DataType::Int64, "row 1: \"1.5\" cannot be read as Int64"),
        (text(&["ten"]), DataType::Float64, "row 0: \"ten\" cannot be read as Float64"),
        (
            text(&["9007199254740993"]),
            DataType::Float64,
            "row 0: \"9007199254740993\" cannot be read without loss as Float64",
        ),
        (text(&["TRUE", "maybe"]), DataType::Boolean, "row 1: \"maybe\" cannot be read as Boolean"),
    ];
    all_refused(cases);
}

#[test]
fn a_time_that_would_lose_something_is_refused_with_its_row() {
    let text = |values: &[&str]| -> ArrayRef { Arc::new(StringArray::from(values.to_vec())) };
    let double = |values: &[f64]| -> ArrayRef { Arc::new(Float64Array::from(values.to_vec())) };
    let long = |values: &[i64]| -> ArrayRef { Arc::new(Int64Array::from(values.to_vec())) };
    let cases: Refusals<'_> = vec![
        (
            text(&["2018-04-01T00:00:00.0001Z"]),
            utc(MS),
            "row 0: \"2018-04-01T00:00:00.0001Z\" cannot be read without loss as Timestamp(ms, \"+00:00\")",
        ),
        (text(&["2018-04-31"]), utc(MS), "row 0: \"2018-04-31\" cannot be read as Timestamp(ms, \"+00:00\")"),
        (
            text(&["2018-04-01T12:00:00Z"]),
            DataType::Date32,
            "row 0: \"2018-04-01T12:00:00Z\" cannot be read without loss as Date32",
        ),
        (double(&[0.5]), utc(MS), "row 0: 0.5 cannot be read without loss as Timestamp(ms, \"+00:00\")"),
        (
            long(&[0, i64::MAX / 1_000 + 1]),
            utc(MS),
            "row 1: 9223372036854776 lies out of the range of Timestamp(ms, \"+00:00\")",
        ),
        (
            Arc::new(TimestampSecondArray::from(vec![1, i64::MAX / 1_000])),
            utc(MS),
            "row 1: 9223372036854775 lies out of the range of Timestamp(ms, \"+00:00\")",
        ),
        (
            Arc::new(TimestampMillisecondArray::from(vec![i64::MIN])),
            utc(MS),
            "row 0: -9223372036854775808 lies out of the range of Timestamp(ms, \"+00:00\")",
        ),
        (
            Arc::new(TimestampNanosecondArray::from(vec![1_000_001])),
            utc(MS),
            "row 0: 1970-01-01T00:00:00.001000001 cannot be read without loss as Timestamp(ms, \"+00:00\")",
        ),
        (
            Arc::new(BinaryArray::from(vec![&b"\xff\xfe"[..]])),
            DataType::Utf8,
            "row 0: fffe cannot be read as Utf8",
        ),
    ];
    all_refused(cases);
}

#[test]
fn what_loses_nothing_passes_whatever_arrow_calls_it() {
    let pass = |column: ArrayRef, expected: ArrayRef| {
        assert!(castable(column.data_type(), expected.data_type()));
        assert_eq!(&cast_exactly(&column, expected.data_type()).unwrap(), &expected);
    };
    let long = |values: &[Option<i64>]| -> ArrayRef { Arc::new(Int64Array::from(values.to_vec())) };
    let text = |values: &[&str]| -> ArrayRef { Arc::new(StringArray::from(values.to_vec())) };
    let ms = |values: Vec<i64>| -> ArrayRef {
        Arc::new(TimestampMillisecondArray::from(values).with_timezone("+00:00"))
    };
    pass(
        Arc::new(Float64Array::from(vec![Some(-0.0), None, Some(1e15)])),
        long(&[Some(0), None, Some(10_i64.pow(15))]),
    );
    pass(Arc::new(Float32Array::from(vec![0.1])), Arc::new(Float64Array::from(vec![f64::from(0.1_f32)])));
    pass(Arc::new(Float64Array::from(vec![f64::NAN])), Arc::new(Float32Array::from(vec![f32::NAN])));
    pass(decimals(vec![110, -25], 2), Arc::new(Float64Array::from(vec![1.1, -0.25])));
    pass(decimals(vec![200], 2), long(&[Some(2)]));
    pass(long(&[Some(7), None]), Arc::new(StringArray::from(vec![Some("7"), None])));
    pass(text(&["1.10", "nan", "12"]), Arc::new(Float64Array::from(vec![1.1, f64::NAN, 12.0])));
    pass(text(&["True", "0"]), Arc::new(BooleanArray::from(vec![true, false])));
    pass(Arc::new(LargeStringArray::from(vec!["a"])), text(&["a"]));
    pass(Arc::new(StringViewArray::from(vec!["a"])), text(&["a"]));
    let coded: DictionaryArray<Int32Type> = ["b", "a", "b"].into_iter().collect();
    pass(Arc::new(coded), text(&["b", "a", "b"]));
    pass(Arc::new(TimestampMicrosecondArray::from(vec![5_000])), ms(vec![5]));
    pass(Arc::new(TimestampSecondArray::from(vec![5])), ms(vec![5_000]));
    pass(Arc::new(Date32Array::from(vec![2])), ms(vec![172_800_000]));
    pass(text(&["2018-04-01T00:00:31Z"]), ms(vec![1_522_540_831_000]));
    pass(ms(vec![172_800_000]), Arc::new(Date32Array::from(vec![2])));
    pass(text(&["1601-01-01"]), Arc::new(Date32Array::from(vec![-134_774])));
    pass(new_null_array(&DataType::Null, 2), long(&[None, None]));
}

#[test]
fn within_lists_the_row_of_the_list_is_named() {
    let lists = |values: Vec<Vec<Option<i32>>>| -> ArrayRef {
        Arc::new(ListArray::from_iter_primitive::<Int32Type, _, _>(values.into_iter().map(Some)))
    };
    let of = |kind: DataType, nullable| DataType::List(Arc::new(Field::new("item", kind, nullable)));
    let numbers = lists(vec![vec![Some(1)], vec![], vec![Some(0), Some(2)]]);
    let cast = cast_exactly(&numbers, &of(DataType::Int64, false)).unwrap();
    assert_eq!(cast.as_list::<i32>().value(2).as_ref(), &Int64Array::from(vec![0, 2]));
    assert_eq!(
        refusal(&numbers, &of(DataType::Boolean, true)).split(" cannot").next(),
        Some("row 2: [0, 2]")
    );
    let holes = lists(vec![vec![Some(1)], vec![None]]);
    assert!(refusal(&holes, &of(DataType::Int64, false)).starts_with("row 1: [] holds a NULL"));
}

#[test]
fn types_that_a_reader_could_misunderstand_are_refused_unread() {
    let list = DataType::List(Arc::new(Field::new("item", DataType::Int64, true)));
    for (from, to) in [
        (DataType::Float64, DataType::Utf8),
        (DataType::Decimal128(10, 2), DataType::Utf8),
        (DataType::Int64, DataType::Binary),
        (utc(TimeUnit::Nanosecond), DataType::Int64),
        (DataType::Date32, DataType::Float64),
        (DataType::Duration(MS), DataType::Int64),
        (DataType::Int64, list.clone()),
        (list, DataType::Utf8),
        (utc(MS), DataType::Boolean),
    ] {
        assert!(!castable(&from, &to), "{from} as {to}");
    }
    assert!(cast_exactly(&(Arc::new(Int32Array::from(vec![1])) as ArrayRef), &DataType::Int64).is_ok());
}
