package durable

import (
	"bytes"
	"errors"
	"path/filepath"

	"autotune/report"
)

// Report puts a report in place in each of these formats, as dir/NAME.html and so on,
// each whole or not at all. One that fails does not keep the others from it.
func Report(dir string, d *report.Document, formats ...report.Format) error {
	var errs []error
	for _, f := range formats {
		var b bytes.Buffer
		err := d.Write(&b, f)
		if err == nil {
			err = Replace(filepath.Join(dir, d.Name+"."+string(f)), b.Bytes())
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}
