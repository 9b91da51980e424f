package megatec

// checksum is the two bytes that solar inverters want behind a command: CRC-16 with the
// polynomial 0x1021 from 0, the high byte first. A byte that the protocol needs for itself (LF,
// CR, opening bracket) is sent as the next higher one.
func checksum(text string) string {
	var crc uint16
	for _, c := range []byte(text) {
		crc ^= uint16(c) << 8
		for range 8 {
			carry := crc&0x8000 != 0
			crc <<= 1
			if carry {
				crc ^= 0x1021
			}
		}
	}
	sum := []byte{byte(crc >> 8), byte(crc)}
	for i, c := range sum {
		if c == '\n' || c == '\r' || c == '(' {
			sum[i]++
		}
	}
	return string(sum)
}
