// Command mutants seeds known bugs into the code that decides, one after another, and demands that the tests notice each. The bugs are in no
// shipped file: each is laid over its file for one run of the tests. Every one of them would cut players, or tell a person what is not so.
package main
